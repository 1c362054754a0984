/*
 * elf_closure.c - the loader's search, played through on paper.
 *
 * Objects are loaded breadth first; a name that one of them already answers
 * to is not searched again. Else glibc looks in the RPATHs from the asking
 * object up to the program (none if it has a RUNPATH), in its RUNPATH, in
 * ld.so.cache and in the default directories; musl in the RPATHs or RUNPATHs
 * up to the program, then in the directories of its path file. A file for
 * another machine is passed over. Libraries for one kind of processor
 * (glibc-hwcaps) are not looked for: without them the loader takes the
 * baseline, and the bytes a compiler writes must not depend on the processor.
 *
 * LD_LIBRARY_PATH is not ours to see: the caller's environment differs per
 * command.
 */
#include "elf_closure.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "elf_info.h"

enum { NONE = -1, LDCACHE_MAX = 16 << 20, MUSL_PATH_MAX = 64 << 10, OBJECTS_MAX = 1024 };

/*
 * Where loaders look, by machine: $PLATFORM, and the values $LIB may have,
 * which below / and /usr are also the default directories. Too many do no
 * harm: what is for another machine is passed over.
 */
static const struct machine {
	uint16_t id;
	bool is64;
	const char *platform;
	const char *libs[4];
} machines[] = {
	{ EM_X86_64, true, "x86_64", { "lib/x86_64-linux-gnu", "lib64", "lib" } },
	{ EM_X86_64, false, "x86_64", { "lib/x86_64-linux-gnux32", "libx32", "lib" } },
	{ EM_386, false, "i686", { "lib/i386-linux-gnu", "lib" } },
	{ EM_AARCH64, true, "aarch64", { "lib/aarch64-linux-gnu", "lib64", "lib" } },
	{ EM_ARM, false, "v7l", { "lib/arm-linux-gnueabihf", "lib/arm-linux-gnueabi", "lib" } },
	{ EM_RISCV, true, "riscv64", { "lib/riscv64-linux-gnu", "lib64/lp64d", "lib64", "lib" } },
	{ EM_PPC64, true, "powerpc64", { "lib/powerpc64le-linux-gnu", "lib64", "lib" } },
	{ EM_NONE, true, "", { "lib64", "lib" } },	/* any other; stays last */
};

/* What the loader keeps of one loaded file. */
struct object {
	struct argv names;	/* it answers to */
	char *origin;		/* its directory */
	struct elf_info elf;
	struct file_id id;
	int asked_by;		/* index; NONE for the program */
};

struct closure {
	const struct elf_search *search;
	const struct machine *machine;
	bool musl;
	struct argv musl_dirs;
	struct buf ldcache;	/* its bytes; empty: none */
	struct object *objects;	/* [0] the program, [1] its interpreter */
	size_t count;
	size_t room;
};

/* A file on its way to becoming an object. */
struct candidate {
	char *real;
	struct tree links;
	int fd;
	struct stat st;
	struct elf_info elf;
};

static void candidate_free(struct candidate *f)
{
	free(f->real);
	tree_free(&f->links);
	if (f->fd >= 0)
		close(f->fd);
	elf_info_free(&f->elf);
}

static int candidate_open(const struct elf_search *search, const char *path, struct candidate *f, struct err *err)
{
	int rc;

	*f = (struct candidate){ .fd = -1 };
	rc = trail_follow(search->trail, path, &f->real, &f->links, err);
	if (rc < 0)
		return rc;
	f->fd = open(f->real, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (f->fd < 0 || fstat(f->fd, &f->st) < 0)
		return err_sys(err, "%s", path);
	if (!S_ISREG(f->st.st_mode))
		return err_set(err, ERR_UNSUPPORTED, "%s is not a regular file", path);
	return 0;
}

static int tree_take(const struct elf_search *search, const struct candidate *f, struct err *err)
{
	struct digest digest;
	uint64_t size;
	int rc = digest_cache_fd(search->digests, f->fd, &size, &digest, err);

	if (rc < 0)
		return err_wrap(err, "%s", f->real);
	tree_add_file(search->tree, f->real, f->st.st_mode & 0777, size, &digest);
	for (size_t i = 0; i < f->links.count; i++)
		tree_add_link(search->tree, f->links.entries[i].path, f->links.entries[i].target);
	return 0;
}

static int read_text(const struct candidate *f, size_t max, struct buf *out, struct err *err)
{
	ssize_t n;

	if ((uint64_t)f->st.st_size > max)
		return err_set(err, ERR_UNSUPPORTED, "%s: %lld bytes", f->real, (long long)f->st.st_size);
	buf_reserve(out, (size_t)f->st.st_size + 1);
	n = pread(f->fd, out->p + out->len, (size_t)f->st.st_size, 0);
	out->len += n > 0 ? (size_t)n : 0;
	return 0;
}

int elf_search_file(const struct elf_search *search, const char *path, bool to_tree, struct buf *text, size_t max,
		    struct err *err)
{
	struct candidate f;
	int rc = candidate_open(search, path, &f, err);

	if (rc == 0 && text)
		rc = read_text(&f, max, text, err);
	if (rc == 0 && to_tree)
		rc = tree_take(search, &f, err);
	candidate_free(&f);
	return rc;
}

static char *directory_of(const char *path)
{
	return xstrndup(path, (size_t)(path_base(path) - path - (path_base(path) - path > 1)));
}

static void object_name(struct object *o, const char *name)
{
	if (!argv_has(&o->names, name))
		argv_push(&o->names, name);
}

/* Takes over the candidate's ELF facts. */
static void object_add(struct closure *c, struct candidate *f, const char *path, int asked_by)
{
	struct object *o;

	if (c->count == c->room) {
		c->room = c->room ? c->room * 2 : 32;
		c->objects = xrealloc(c->objects, c->room * sizeof *c->objects);
	}
	o = &c->objects[c->count++];
	*o = (struct object){ .elf = f->elf, .id = file_id_of(&f->st), .asked_by = asked_by };
	f->elf = (struct elf_info){ 0 };
	/* the kernel gives the program's real path, the loader the one it found a library by */
	o->origin = directory_of(asked_by == NONE ? f->real : path);
	if (o->elf.soname)
		object_name(o, o->elf.soname);
}

static struct object *object_of(struct closure *c, const struct file_id *id)
{
	for (size_t i = 0; i < c->count; i++)
		if (file_id_eq(&c->objects[i].id, id))
			return &c->objects[i];
	return NULL;
}

static int object_take(struct closure *c, struct candidate *f, const char *path, const char *name, int asked_by,
		       struct err *err)
{
	struct file_id id = file_id_of(&f->st);
	int rc = tree_take(c->search, f, err);

	if (rc < 0)
		return rc;
	if (c->count >= OBJECTS_MAX)
		return err_set(err, ERR_UNSUPPORTED, "%s: more than %d libraries", path, OBJECTS_MAX);
	if (!object_of(c, &id))
		object_add(c, f, path, asked_by);
	object_name(object_of(c, &id), name);
	return 0;
}

/* Load a file that must be there: the program or its interpreter. */
static int load(struct closure *c, const char *path, int asked_by, struct err *err)
{
	struct candidate f;
	int rc = candidate_open(c->search, path, &f, err);

	if (rc == 0 && (rc = elf_read_fd(f.fd, &f.elf, err)) < 0)
		err_wrap(err, "%s", path);
	if (rc == 0)
		rc = object_take(c, &f, path, path, asked_by, err);
	candidate_free(&f);
	return rc == ERR_ABSENT ? err_set(err, ERR_IO, "%s: no such file", path) : rc;
}

static bool for_this_machine(const struct closure *c, const struct elf_info *e)
{
	return e->machine == c->objects[0].elf.machine && e->is64 == c->objects[0].elf.is64;
}

/* Load path as name if it is there and fits. 1: yes, 0: no. */
static int try_path(struct closure *c, const char *path, const char *name, int asked_by, struct err *err)
{
	struct candidate f;
	int rc = candidate_open(c->search, path, &f, NULL);
	bool fits;

	/* what cannot be opened, for whatever reason, the loader passes over as well */
	if (rc == 0)
		rc = elf_read_fd(f.fd, &f.elf, NULL);
	fits = rc == 0 && for_this_machine(c, &f.elf);
	rc = fits ? object_take(c, &f, path, name, asked_by, err) : 0;
	candidate_free(&f);
	return rc < 0 ? rc : fits;
}

/* The value of the variable at s ("ORIGIN" or "{ORIGIN}" behind a $), and its length; 0: not one. */
static size_t variable(const char *s, const char *const values[3], const char **value)
{
	static const char *const names[] = { "ORIGIN", "LIB", "PLATFORM" };
	bool braced = *s == '{';

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		size_t n = strlen(names[i]);

		if (strncmp(s + braced, names[i], n) == 0 && (!braced || s[n + 1] == '}')) {
			*value = values[i];
			return n + (braced ? 2 : 0);
		}
	}
	return 0;
}

static char *expand(const struct closure *c, const char *s, size_t len, int object, const char *lib)
{
	const char *const values[3] = { c->objects[object].origin, lib, c->machine->platform };
	const char *value = NULL, *end = s + len;
	autobuf struct buf out = { 0 };

	while (s < end) {
		size_t n = *s == '$' ? variable(s + 1, values, &value) : 0;

		if (n)
			buf_puts(&out, value);
		else
			buf_add(&out, s, 1);
		s += n + 1;
	}
	return xstrdup(buf_str(&out));
}

/*
 * One element of a search path. A relative one is below the directory that
 * the job happens to run in, which holds sources, not libraries: left out.
 */
static int try_element(struct closure *c, const char *s, size_t len, int object, const char *name, int asked_by,
		       struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(c->machine->libs) && c->machine->libs[i] && rc == 0; i++) {
		autofree char *dir = expand(c, s, len, object, c->machine->libs[i]);
		autofree char *path = xasprintf("%s/%s", dir, name);

		if (dir[0] == '/')
			rc = try_path(c, path, name, asked_by, err);
		if (!memmem(s, len, "LIB", 3))
			break;
	}
	return rc;
}

/* A search path as object has it in its dynamic section. */
static int try_search_path(struct closure *c, const char *dirs, int object, const char *name, int asked_by,
			   struct err *err)
{
	int rc = 0;

	while (dirs && rc == 0) {
		size_t len = strcspn(dirs, ":");

		rc = try_element(c, dirs, len, object, name, asked_by, err);
		dirs = dirs[len] ? dirs + len + 1 : NULL;
	}
	return rc;
}

/* The search paths of the asking object and of those it was loaded for. */
static int try_rpaths(struct closure *c, const char *name, int asked_by, struct err *err)
{
	int rc = 0;

	if (!c->musl && c->objects[asked_by].elf.runpath)
		return 0;
	for (int i = asked_by; i != NONE && rc == 0; i = c->objects[i].asked_by) {
		const struct elf_info *e = &c->objects[i].elf;
		const char *dirs = !e->runpath ? e->rpath : c->musl ? e->runpath : NULL;

		rc = try_search_path(c, dirs, i, name, asked_by, err);
	}
	return rc;
}

/* A path directly in one of the default directories. */
static bool in_default_dir(const struct closure *c, const char *path)
{
	autofree char *dir = directory_of(path);

	for (size_t i = 0; i < ARRAY_LEN(c->machine->libs) && c->machine->libs[i]; i++)
		if (str_eq(dir + 1, c->machine->libs[i]) ||
		    (str_starts(dir, "/usr/") && str_eq(dir + 5, c->machine->libs[i])))
			return true;
	return false;
}

static int try_ldcache(struct closure *c, const char *name, int asked_by, struct err *err)
{
	const char *path;
	uint32_t flags;
	size_t at = 0;
	int rc = 0;

	while (rc == 0 && (path = ldcache_next(c->ldcache.p, c->ldcache.len, name, &at, &flags)))
		if (!c->objects[asked_by].elf.no_default_dirs || !in_default_dir(c, path)) {
			rc = try_path(c, path, name, asked_by, err);
			if (rc == 1)
				ldcache_add(c->search->cached, name, path, flags, at);
		}
	return rc;
}

static int try_default_dirs(struct closure *c, const char *name, int asked_by, struct err *err)
{
	static const char *const roots[] = { "", "/usr" };
	int rc = 0;

	for (size_t i = 0; i < 2 * ARRAY_LEN(c->machine->libs) && rc == 0 && c->machine->libs[i / 2]; i++) {
		autofree char *path = xasprintf("%s/%s/%s", roots[i % 2], c->machine->libs[i / 2], name);

		rc = try_path(c, path, name, asked_by, err);
	}
	return rc;
}

static int search_glibc(struct closure *c, const char *name, int asked_by, struct err *err)
{
	int rc = try_rpaths(c, name, asked_by, err);

	if (rc == 0)
		rc = try_search_path(c, c->objects[asked_by].elf.runpath, asked_by, name, asked_by, err);
	if (rc == 0)
		rc = try_ldcache(c, name, asked_by, err);
	if (rc == 0 && !c->objects[asked_by].elf.no_default_dirs)
		rc = try_default_dirs(c, name, asked_by, err);
	return rc;
}

/* The parts of libc that are in musl's loader itself, under these names. */
static bool musl_builtin(const char *name)
{
	static const char *const builtins[] = {
		"libc.", "libpthread.", "librt.", "libm.", "libdl.", "libutil.", "libxnet.",
	};

	for (size_t i = 0; i < ARRAY_LEN(builtins); i++)
		if (str_starts(name, builtins[i]))
			return true;
	return false;
}

static int search_musl(struct closure *c, const char *name, int asked_by, struct err *err)
{
	int rc = musl_builtin(name) ? 1 : try_rpaths(c, name, asked_by, err);

	for (size_t i = 0; i < c->musl_dirs.count && rc == 0; i++) {
		autofree char *path = xasprintf("%s/%s", c->musl_dirs.v[i], name);

		rc = try_path(c, path, name, asked_by, err);
	}
	return rc;
}

static int search(struct closure *c, const char *name, int asked_by, struct err *err)
{
	autofree char *path = NULL;

	for (size_t i = 0; i < c->count; i++)
		if (argv_has(&c->objects[i].names, name))
			return 1;
	if (strchr(name, '/')) {
		path = expand(c, name, strlen(name), asked_by, c->machine->libs[0]);
		return path[0] == '/' ? try_path(c, path, name, asked_by, err) : 0;
	}
	return c->musl ? search_musl(c, name, asked_by, err) : search_glibc(c, name, asked_by, err);
}

static int load_needed(struct closure *c, struct err *err)
{
	for (size_t i = 0; i < c->count; i++) {
		/* the objects move while more are added; this vector stays */
		struct argv needed = c->objects[i].elf.needed;

		for (size_t k = 0; k < needed.count; k++) {
			int rc = search(c, needed.v[k], (int)i, err);

			if (rc < 0)
				return rc;
			if (rc == 0)
				return err_set(err, ERR_UNSUPPORTED, "%s, needed by %s, is not found",
					       needed.v[k], c->objects[i].names.v[0]);
		}
	}
	return 0;
}

/* Musl's directories: one a line, or with colons between, in a file named after the loader. */
static int musl_dirs(struct closure *c, const char *interp, struct err *err)
{
	const char *base = path_base(interp);
	autofree char *lib = directory_of(interp), *prefix = directory_of(lib);
	autofree char *path = xasprintf("%s/etc/%.*s.path", str_eq(prefix, "/") ? "" : prefix,
					(int)strcspn(base, "."), base);
	autobuf struct buf text = { 0 };
	char *s, *save = NULL;
	int rc = elf_search_file(c->search, path, true, &text, MUSL_PATH_MAX, err);

	if (rc < 0 && rc != ERR_ABSENT)
		return rc;
	if (!text.len)
		buf_puts(&text, "/lib:/usr/local/lib:/usr/lib");
	for (s = strtok_r(buf_str(&text), ":\n", &save); s; s = strtok_r(NULL, ":\n", &save))
		argv_push(&c->musl_dirs, s);
	return 0;
}

static int load_interp(struct closure *c, const char *interp, struct err *err)
{
	int rc;

	if (interp[0] != '/')
		return err_set(err, ERR_UNSUPPORTED, "interpreter %s has no absolute path", interp);
	rc = load(c, interp, 0, err);
	if (rc < 0)
		return rc;
	c->musl = str_starts(path_base(interp), "ld-musl-");
	if (c->musl)
		return musl_dirs(c, interp, err);
	rc = elf_search_file(c->search, c->search->ldcache, false, &c->ldcache, LDCACHE_MAX, err);
	return rc == ERR_ABSENT ? 0 : rc;
}

static const struct machine *machine_of(const struct elf_info *e)
{
	const struct machine *m = machines;

	while (m->id != EM_NONE && (m->id != e->machine || m->is64 != e->is64))
		m++;
	return m;
}

static void closure_free(struct closure *c)
{
	for (size_t i = 0; i < c->count; i++) {
		argv_free(&c->objects[i].names);
		free(c->objects[i].origin);
		elf_info_free(&c->objects[i].elf);
	}
	free(c->objects);
	argv_free(&c->musl_dirs);
	buf_free(&c->ldcache);
}

/* What the program loads at run time, on top of what it has then. */
static int load_modules(struct closure *c, const struct argv *modules, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < modules->count && rc >= 0; i++)
		rc = try_path(c, modules->v[i], modules->v[i], 0, err);
	return rc < 0 ? rc : load_needed(c, err);
}

int elf_closure_add(const struct elf_search *search, const char *program, const struct argv *modules, struct err *err)
{
	struct closure c = { .search = search };
	int rc = load(&c, program, NONE, err);

	if (rc == 0) {
		const char *interp = c.objects[0].elf.interp;

		c.machine = machine_of(&c.objects[0].elf);
		/* without an interpreter nothing more is loaded */
		rc = interp ? load_interp(&c, interp, err) : 0;
		if (rc == 0 && interp)
			rc = load_needed(&c, err);
		if (rc == 0 && interp && modules)
			rc = load_modules(&c, modules, err);
		if (rc < 0)
			err_wrap(err, "%s", program);
	}
	closure_free(&c);
	return rc;
}
