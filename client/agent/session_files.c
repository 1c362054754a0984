/*
 * session_files.c - a command in file mode: whether it may, and what its wrapper is told to make of it.
 */
#include "session_inner.h"

#include "clock.h"
#include "environment.h"
#include "file.h"
#include "log.h"

enum { STATUS_MAX = 64 << 10 };

/* May we look at files in the caller's place? Ours do not change. */
static bool same_rights(pid_t pid)
{
	static const char *const rights[] = { "Uid:", "Gid:", "Groups:", "CapEff:" };
	static struct buf ours;
	autofree char *path = xasprintf("/proc/%d/status", (int)pid);
	autobuf struct buf theirs = { 0 }, own = { 0 };

	if (read_file(path, STATUS_MAX, &theirs, NULL) < 0 || (!ours.len && read_file("/proc/self/status", STATUS_MAX, &own, NULL) < 0))
		return false;
	if (!ours.len) {
		ours = own;
		own = (struct buf){ 0 };
	}
	for (size_t i = 0; i < ARRAY_LEN(rights); i++) {
		const char *a = strstr(buf_str(&theirs), rights[i]), *b = strstr(buf_str(&ours), rights[i]);

		if (!a || !b || strcspn(a, "\n") != strcspn(b, "\n") || strncmp(a, b, strcspn(a, "\n")) != 0)
			return false;
	}
	return true;
}

/* What its compiler may not read although it wrote it, root reads all the same; a box is not root. */
static bool umask_fits(const struct session *s) { return !(s->ask.umask & 0700); }

bool files_allowed(const struct session *s)
{
	return umask_fits(s) && s->plan->files.kind == VERDICT_FILES && s->settings.mode != MODE_TEXT && s->pid > 0 && same_rights(s->pid) &&
	       !memory_unfit(s->agent->memory, s->key);
}

/* Some volunteer is likely to take it at once: nobody waits, and there is room. What is seen of its files now is not seen in vain. */
static bool goes_at_once(const struct session *s)
{
	struct place_view v = placing_view(s->agent);

	if (v.waiting + v.offered + v.ungranted > 0)
		return false;
	for (size_t i = 0; i < s->candidate_count; i++)
		if (outlook_has_room(peer_outlook(s->candidates[i]), clock_us()))
			return true;
	return false;
}

void files_go(struct session *s, void (*loaded)(void *session))
{
	bool last = s->unit + 1 == s->plan->file_unit_count, clang = s->plan->dialect == DIALECT_CLANG;
	struct filejob_spec spec = {
		.toolchains = s->agent->toolchains, .question = s->unproven, .at_once = goes_at_once(s),
		.loop = s->agent->loop, .files = s->agent->files, .manifests = s->agent->manifests, .plan = s->plan,
		.unit = file_unit_of(s), .cwd = s->ask.cwd, .toolchain = s->toolchain,
		/* clang heeds it from version 16 on only */
		.has_date = !clang && environment_get(&s->ask.env, "SOURCE_DATE_EPOCH"),
		/* what was said for one unit must not be said again */
		.may_fail = s->plan->file_unit_count == 1,
		/* clang's driver tells its compiler of the terminal, and did not know of it */
		.may_speak = last && !(clang && s->ask.stderr_tty),
		.may_print = last,
	};

	s->unproven = (struct toolchain_question){ 0 };
	s->loading = filejob_new(&spec, loaded, s);
}

bool files_sound(const struct session *s) { return filejob_toolchain_holds(s->loading); }

struct filejob *files_job(struct session *s, struct job *job)
{
	planner_file_job(file_unit_of(s), &s->ask.env, s->toolchain, job);
	job->caller.cwd = xstrdup(s->ask.cwd);
	job->caller.umask = s->ask.umask;
	job->caller.columns = s->ask.stderr_tty ? s->ask.columns : 0;
	job->caller.lines = s->ask.lines;
	filejob_caller(s->loading, &job->caller);
	return ptr_steal(&s->loading);
}

void files_count(struct session *s, const struct attempt *at)
{
	struct filejob_counts c = filejob_counts(attempt_files(at));

	stats_add(s->agent->stats, COUNT_NEW_UNITS, c.manifest != MANIFEST_OWN && !s->changed);
	stats_add(s->agent->stats, COUNT_QUESTIONS, c.questions);
	stats_add(s->agent->stats, COUNT_CONTENTS, c.contents);
	stats_add(s->agent->stats, COUNT_CONTENT_BYTES, c.content_bytes);
	log_debug("files", "pid=%d manifest=%d questions=%llu contents=%llu bytes=%llu", (int)s->pid, c.manifest,
		  (unsigned long long)c.questions, (unsigned long long)c.contents, (unsigned long long)c.content_bytes);
}

void files_deliver(struct session *s, const struct attempt *at)
{
	const struct filejob *j = attempt_files(at);
	const char *removed = file_unit_of(s)->removed;
	struct outcome m = { .round = ++s->round, .status = attempt_result(at).exit_status, .changes = *filejob_changes(j) };
	autofree char *absolute = NULL;
	autobuf struct buf b = { 0 };
	int fd = filejob_contents(j);

	filejob_said(j, &m.out_bytes, &m.err_bytes);
	if (m.status && removed && attempt_result(at).step >= file_unit_of(s)->removed_from)
		m.removed = absolute = *removed == '/' ? xstrdup(removed) : xasprintf("%s/%s", s->ask.cwd, removed);
	outcome_put(&b, &m);
	conn_send_fds(s->conn, REQUEST_OUTCOME, 0, &b, &fd, 1);
}
