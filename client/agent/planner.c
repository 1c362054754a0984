/*
 * planner.c - plans for requests.
 */
#include "planner.h"

#include <errno.h>

#include "environment.h"
#include "proc.h"

struct planner {
	size_t made;
};

struct planner *planner_new(void)
{
	return xcalloc(1, sizeof(struct planner));
}

char *planner_recall(struct planner *pl, const struct ask *ask, enum driver_kind kind, const struct stat *driver)
{
	(void)pl, (void)ask, (void)kind, (void)driver;
	return NULL;
}

/*
 * `as` without a slash is found as execvp would, per request. The file's
 * real path goes into the job: drivers print names with `..` in them, which
 * mean something only where each directory on the way exists.
 */
static bool resolve(struct job *job, const char *path)
{
	for (size_t i = 0; i < job->step_count; i++) {
		autofree char *found = proc_find(job->steps[i].program, path, NULL, NULL);
		char *real = found && *found == '/' ? realpath(found, NULL) : NULL;

		if (!real)
			return false;
		free(job->steps[i].program);
		job->steps[i].program = real;
	}
	return true;
}

static void resolve_units(struct plan *p, const char *path)
{
	for (size_t i = 0; i < p->unit_count; i++) {
		struct unit *u = &p->units[i];

		if (u->verdict.kind == VERDICT_LOCAL || (resolve(&u->job, path) && resolve(&u->job_plain, path)))
			continue;
		u->verdict = p->verdict = (struct verdict){ .kind = VERDICT_LOCAL, .reason = REASON_UNUSUAL_PLAN };
		strcpy(p->verdict.detail, "a subcommand is not found by an absolute path");
	}
}

int planner_make(struct planner *pl, const struct ask *ask, enum driver_kind kind, const struct stat *driver,
		 const char *text, bool learn, bool force_text, const char *temp_dir, struct plan **out,
		 struct err *err)
{
	const struct argv *argv = ask->expanded.count ? &ask->expanded : &ask->argv;
	struct plan_options options = { .force_text = force_text, .temp_dir = temp_dir, .env = &ask->env };
	int rc = plan_make(kind == DRIVER_CLANG ? DIALECT_CLANG : DIALECT_GCC, argv, text, &options, out, err);

	(void)driver, (void)learn;
	pl->made++;
	if (rc == 0)
		resolve_units(*out, environment_get(&ask->env, "PATH"));
	return rc;
}

void planner_job(const struct job *job, const struct argv *env, const struct digest *toolchain, struct job *out)
{
	*out = (struct job){ .toolchain = *toolchain, .input_name = xstrdup(job->input_name ? job->input_name : ""),
			     .step_count = job->step_count, .outputs = argv_copy(&job->outputs) };
	for (size_t i = 0; i < job->step_count; i++)
		out->steps[i] = (struct job_step){
			.program = xstrdup(job->steps[i].program), .argv = argv_copy(&job->steps[i].argv),
			.stdin_input = job->steps[i].stdin_input,
		};
	for (size_t i = 0; i < env->count; i++) {
		autofree char *name = xstrndup(env->v[i], strcspn(env->v[i], "="));

		if (plan_env_travels(name))
			argv_push(&out->env, env->v[i]);
	}
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
