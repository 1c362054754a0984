/*
 * planner.c - plans for requests.
 */
#include "planner.h"

#include <stdio.h>
#include <stdlib.h>

#include "environment.h"
#include "plan_cache.h"
#include "plan_watch.h"
#include "proc.h"

enum { TEMPLATES_MAX = 1024 };

struct planner {
	struct plan_cache *cache;
};

struct planner *planner_new(void)
{
	struct planner *pl = xcalloc(1, sizeof *pl);

	pl->cache = plan_cache_new(TEMPLATES_MAX);
	return pl;
}

void planner_free(struct planner *pl)
{
	plan_cache_free(pl->cache);
	free(pl);
}

static const struct argv *words_of(const struct ask *ask)
{
	return ask->expanded.count ? &ask->expanded : &ask->argv;
}

static void put_file(struct buf *b, const char *path, const struct stat *st)
{
	const uint64_t fields[] = {
		st->st_dev, st->st_ino, (uint64_t)st->st_mtim.tv_sec, (uint64_t)st->st_mtim.tv_nsec,
		(uint64_t)st->st_ctim.tv_sec, (uint64_t)st->st_ctim.tv_nsec,
	};

	buf_puts(b, path);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		buf_puts(b, " ");
		buf_hex(b, fields[i]);
	}
	buf_puts(b, "\n");
}

/* clang's driver takes a precompiled header where one lies beside the header that is to be included. */
static void put_precompiled(struct buf *b, const struct ask *ask)
{
	static const char *const endings[] = { "pch", "gch" };
	const struct argv *words = words_of(ask);
	struct stat st;

	for (size_t i = 1; i < words->count; i++) {
		const char *header = str_starts(words->v[i], "-include") ? words->v[i] + strlen("-include") : NULL;

		if (header && !*header)
			header = words->v[i + 1];
		for (size_t j = 0; header && j < ARRAY_LEN(endings); j++) {
			autofree char *path = xasprintf("%s/%s.%s", *header == '/' ? "" : ask->cwd, header, endings[j]);

			buf_printf(b, "%d ", stat(path, &st) == 0);
		}
	}
}

/* All that an answer may depend on besides the words themselves (plan_cache.h). */
static char *context_of(const struct ask *ask, const struct stat *driver)
{
	autofree char *real = realpath(ask->program, NULL);
	struct buf b = { 0 };

	put_file(&b, real ? real : ask->program, driver);
	buf_printf(&b, "%s\n%s\n", ask->argv.v[0], ask->cwd);
	put_precompiled(&b, ask);
	for (size_t i = 0; i < ask->env.count; i++) {
		autofree char *name = xstrndup(ask->env.v[i], strcspn(ask->env.v[i], "="));

		if (plan_env_shapes(name))
			buf_printf(&b, "%s\n", ask->env.v[i]);
	}
	return buf_str(&b);
}

/* Whether the directories are as they were: a new gcc beside the old one changes what clang says. */
static char *stamp_of(const struct argv *directories)
{
	struct buf b = { 0 };
	struct stat st;

	for (size_t i = 0; i < directories->count; i++) {
		if (stat(directories->v[i], &st) == 0)
			put_file(&b, directories->v[i], &st);
		else
			buf_printf(&b, "%s is not there\n", directories->v[i]);
	}
	return buf_str(&b);
}

/* What neither the words nor plan_watch() show must not shape the answer. */
static bool cacheable(const struct ask *ask)
{
	/* the last ones name files that clang's driver looks for itself */
	static const char *const options[] = {
		"--config", "--specs", "-B", "-specs", "-fauto-profile", "-fbasic-block-sections=", "-fprofile-instr-use",
		"-fprofile-sample-use", "-fprofile-use", "-fsanitize-blacklist", "-fsanitize-coverage-", "-fsanitize-ignorelist",
		"-fxray-",
	};
	const struct argv *words = words_of(ask);

	for (size_t i = 1; i < words->count; i++)
		for (size_t j = 0; j < ARRAY_LEN(options); j++)
			if (str_starts(words->v[i], options[j]))
				return false;
	return true;
}

char *planner_recall(struct planner *pl, const struct ask *ask, const struct stat *driver)
{
	autofree char *context = NULL;

	if (!cacheable(ask))
		return NULL;
	context = context_of(ask, driver);
	return plan_cache_recall(pl->cache, context, words_of(ask), stamp_of);
}

static void learn_plan(struct planner *pl, const struct ask *ask, const struct stat *driver, const struct plan *plan,
		       const char *text)
{
	autofree char *context = context_of(ask, driver), *stamp = NULL;
	autoargv struct argv directories = { 0 };

	if (!plan_watch(plan, text, &ask->env, &directories))
		return;
	stamp = stamp_of(&directories);
	plan_cache_learn(pl->cache, context, words_of(ask), plan, &directories, stamp);
}

/* Programs that were looked for, and where each was found: "" is nowhere. The ways of one command have the same ones. */
struct found {
	const char *path;
	struct argv names, places;
};

/*
 * `as` without a slash is found as execvp would, per request. The file's
 * real path goes into the job: drivers print names with `..` in them, which
 * mean something only where each directory on the way exists.
 */
static const char *find_program(struct found *f, const char *name)
{
	autofree char *found = NULL;
	char *real;

	for (size_t i = 0; i < f->names.count; i++)
		if (str_eq(f->names.v[i], name))
			return f->places.v[i];
	found = proc_find(name, f->path, NULL, NULL);
	real = found && *found == '/' ? realpath(found, NULL) : NULL;
	argv_push(&f->names, name);
	argv_push(&f->places, real ? real : "");
	free(real);
	return f->places.v[f->places.count - 1];
}

static bool resolve(struct job *job, struct found *f)
{
	for (size_t i = 0; i < job->step_count; i++) {
		const char *real = find_program(f, job->steps[i].program);

		if (!*real)
			return false;
		free(job->steps[i].program);
		job->steps[i].program = xstrdup(real);
	}
	return true;
}

static void resolve_units(struct plan *p, const char *path)
{
	static const struct verdict not_found = { .kind = VERDICT_LOCAL, .reason = REASON_UNUSUAL_PLAN,
						  .detail = "a subcommand is not found by an absolute path" };
	struct found f = { .path = path };

	for (size_t i = 0; i < p->unit_count; i++) {
		struct unit *u = &p->units[i];

		if (u->verdict.kind == VERDICT_LOCAL || (resolve(&u->job, &f) && resolve(&u->job_plain, &f)))
			continue;
		u->verdict = p->verdict = not_found;
	}
	for (size_t i = 0; i < p->file_unit_count && p->files.kind == VERDICT_FILES; i++)
		if (!resolve(&p->file_units[i].job, &f))
			p->files = not_found;
	argv_free(&f.names);
	argv_free(&f.places);
}

/* The driver would have said so; a remembered answer does not. */
static void check_sources(struct plan *p, const char *cwd)
{
	for (size_t i = 0; i < p->file_unit_count && p->files.kind == VERDICT_FILES; i++) {
		const char *input = p->file_units[i].input;
		autofree char *path = *input == '/' ? xstrdup(input) : xasprintf("%s/%s", cwd, input);

		if (access(path, F_OK) != 0) {
			p->files = (struct verdict){ .kind = VERDICT_LOCAL, .reason = REASON_INPUT_ODD };
			snprintf(p->files.detail, sizeof p->files.detail, "%s", input);
		}
	}
}

int planner_make(struct planner *pl, const struct ask *ask, enum driver_kind kind, const struct stat *driver,
		 const char *text, bool learn, bool force_text, const char *temp_dir, struct plan **out,
		 struct err *err)
{
	struct plan_options options = { .force_text = force_text, .temp_dir = temp_dir, .env = &ask->env };
	autofree char *settled = xstrdup(text);
	int rc;

	plan_cache_settle(settled, temp_dir);
	rc = plan_make(kind == DRIVER_CLANG ? DIALECT_CLANG : DIALECT_GCC, words_of(ask), settled, &options, out, err);
	if (rc < 0)
		return rc;
	if (learn && cacheable(ask))
		learn_plan(pl, ask, driver, *out, settled);
	resolve_units(*out, environment_get(&ask->env, "PATH"));
	check_sources(*out, ask->cwd);
	return 0;
}

static void copy_job(const struct job *job, const struct toolchain *tc, struct job *out)
{
	*out = (struct job){ .mode = job->mode, .toolchain = tc->id, .env = argv_copy(&job->env),
			     .input_name = xstrdup(job->input_name ? job->input_name : ""),
			     .step_count = job->step_count, .outputs = argv_copy(&job->outputs) };
	for (size_t i = 0; i < job->step_count; i++)
		out->steps[i] = (struct job_step){
			.program = xstrdup(job->steps[i].program), .argv = argv_copy(&job->steps[i].argv),
			.stdin_input = job->steps[i].stdin_input,
		};
}

static void copy_env(struct argv *out, const struct argv *env, bool speaks, bool (*travels)(const char *))
{
	for (size_t i = 0; i < env->count; i++) {
		autofree char *name = xstrndup(env->v[i], strcspn(env->v[i], "="));

		if (travels(name) && (speaks || !plan_env_speaks(name)))
			argv_push(out, env->v[i]);
	}
}

void planner_job(const struct job *job, const struct argv *env, const struct toolchain *tc, struct job *out)
{
	copy_job(job, tc, out);
	copy_env(&out->env, env, tc->translates, plan_env_travels);
}

void planner_file_job(const struct file_unit *u, const struct argv *env, const struct toolchain *tc, struct job *out)
{
	copy_job(&u->job, tc, out);
	copy_env(&out->env, env, true, plan_env_travels_with_files);
}

static bool exists_in(const char *dir, size_t dir_len, const char *name)
{
	autofree char *path = xasprintf("%.*s/%s", (int)dir_len, dir, name);

	return access(path, F_OK) == 0;
}

bool planner_shadowed(const struct toolchain *tc, const char *library_path, struct err *err)
{
	while (library_path && *library_path) {
		size_t n = strcspn(library_path, ":;");

		for (size_t i = 0; i < tc->tree.count; i++) {
			const char *path = tc->tree.entries[i].path, *name = path_base(path);

			if (!n || !exists_in(library_path, n, name))
				continue;
			if (strncmp(path, library_path, n) == 0 && path + n + 1 == name)
				continue;	/* the very file */
			err_set(err, ERR_UNSUPPORTED, "LD_LIBRARY_PATH holds another %s", name);
			return true;
		}
		library_path += n + (library_path[n] != 0);
	}
	return false;
}
