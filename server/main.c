/*
 * main.c - rccd: options, wiring, and how it ends.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "callers.h"
#include "cgroup.h"
#include "exposure.h"
#include "fetch.h"
#include "file.h"
#include "home.h"
#include "http.h"
#include "keyring.h"
#include "listen.h"
#include "log.h"
#include "notify.h"
#include "options.h"
#include "owner.h"
#include "run.h"
#include "sandbox.h"
#include "server.h"
#include "session.h"
#include "slots.h"
#include "store.h"
#include "spawner.h"
#include "toolchains.h"

enum { EXIT_USAGE = 2, FAREWELL_MS = 500 };

static void prepare_process(void)
{
	struct rlimit files;

	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

static void close_handle(void *handle) { uv_close(handle, NULL); }
static void on_farewell(uv_timer_t *timer) { uv_stop(timer->loop); }

/* Say goodbye, which cancels what still runs, and let the loop run dry. */
static void on_end(uv_timer_t *timer)
{
	struct server *s = timer->data;

	if (admit_counts(s->admit).running)
		log_warn("cut-short", "jobs=%u", admit_counts(s->admit).running);
	s->ending = true;
	sessions_close(s, REFUSAL_DRAINING);
	http_stop(s);
	owner_stop(s);
	close_handle(&s->grant_timer);
	close_handle(&s->state_timer);
	close_handle(&s->hello_timer);
	close_handle(&s->progress_timer);
	toolchains_stop(s);
	close_handle(&s->term);
	close_handle(&s->interrupt);
	close_handle(&s->hangup);
	spawner_close(ptr_steal(&s->spawner));
	/* an agent that does not read its BYE is not waited for */
	uv_timer_start(&s->end_timer, on_farewell, FAREWELL_MS, 0);
	uv_unref((uv_handle_t *)&s->end_timer);
}

/* May come from within a session: the end comes from the loop. */
static void on_idle(struct server *s)
{
	if (!s->ending)
		uv_timer_start(&s->end_timer, on_end, 0, 0);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct server *s = handle->data;

	if (s->ending)
		return;
	if (s->draining) {	/* told again: no grace */
		on_end(&s->end_timer);
		return;
	}
	log_info("draining", "signal=%d", number);
	notify("STOPPING=1");
	s->draining = true;
	listen_stop(s);
	uv_timer_start(&s->end_timer, on_end, s->options->grace * 1000, 0);
	slots_drain(s);		/* may find that nothing runs: on_idle() */
}

static void start_timers(struct server *s)
{
	uv_timer_init(s->loop, &s->hello_timer);
	uv_timer_init(s->loop, &s->progress_timer);
	uv_timer_init(s->loop, &s->end_timer);
	uv_signal_init(s->loop, &s->term);
	uv_signal_init(s->loop, &s->interrupt);
	s->hello_timer.data = s->progress_timer.data = s->end_timer.data = s->term.data = s->interrupt.data = s;
	uv_signal_start(&s->term, on_signal, SIGTERM);
	uv_signal_start(&s->interrupt, on_signal, SIGINT);
	keyring_watch(s);
}

static void say_exposure(const struct server *s)
{
	autofree char *text = exposure_text(s->options, s->keys, &s->listening);

	log_info("serving", "whom=\"%s\"", text);
}

static void say_warnings(const struct server *s)
{
	if (s->options->insecure_no_sandbox)
		log_warn("insecure", "what=\"jobs run unconfined, as this user\"");
	if (s->options->insecure_no_auth)
		log_warn("insecure", "what=\"whoever connects is served\"");
	if (s->fault != FAULT_NONE)
		log_warn("fault", "name=%s", s->options->fault);
}

/* Foreign programs run in a box only, and only for callers who are known. */
static bool accepts_any(const struct server *s)
{
	const char *said = s->options->accept_toolchains;

	return said ? str_eq(said, "any") : s->keys != NULL;
}

static int start(struct server *s, struct err *err)
{
	int rc;

	s->box = find_own_program("rccd-box");
	if (!s->box)
		return err_set(err, ERR_CONFIG, "rccd-box is not beside rccd, nor in %s", LIBEXECDIR);
	s->lock_fd = rc = home_open(s->options->store, &s->jobs_dir, err);
	if (rc < 0)
		return rc;
	rc = sandbox_start(s, err);
	if (rc < 0)
		return rc;
	rc = store_open(s->options->store, s->options->store_max, &s->store, err);
	if (rc < 0)
		return rc;
	s->fetches = fetches_new(s->loop, s->store, &s->options->toolchain_dirs);
	s->accept_any = s->confined && accepts_any(s);
	slots_start(s);
	toolchains_start(s);
	start_timers(s);
	owner_start(s);
	rc = listen_start(s, err);
	return rc < 0 ? rc : http_start(s, err);
}

static void release(struct server *s)
{
	admit_free(s->admit);
	admit_actions_free(&s->actions);
	toolchains_free(s->toolchains);
	callers_free(&s->callers);
	fetches_free(s->fetches);
	store_close(s->store);
	cgroups_close(s->cgroups);
	keys_unref(s->keys);
	argv_free(&s->listening);
	free(s->http_address);
	free(s->jobs_dir);
	free(s->no_files);
	free(s->box);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
}

static int serve(const struct options *o, struct keys *keys, struct err *err)
{
	static struct server s;
	int rc;

	s = (struct server){ .loop = uv_default_loop(), .options = o, .fault = options_fault(o), .lock_fd = -1, .keys = keys_ref(keys),
			     .on_idle = on_idle, .ledger.started = (int64_t)time(NULL) };
	prepare_process();
	log_open(2, (enum log_level)log_level_of(o->log));
	rc = start(&s, err);
	if (rc < 0)
		return rc;
	say_exposure(&s);
	say_warnings(&s);
	notify("READY=1");
	uv_run(s.loop, UV_RUN_DEFAULT);
	close_handle(&s.end_timer);
	uv_run(s.loop, UV_RUN_NOWAIT);
	/* busy: a worker thread still uses what would be freed */
	if (uv_loop_close(s.loop) == 0)
		release(&s);
	log_info("end", "jobs=%llu", (unsigned long long)s.ledger.job_count);
	return 0;
}

static int show_help(void)
{
	autofree char *help = options_help();

	fputs(help, stdout);
	return fflush(stdout) == 0 ? 0 : 1;
}

static int make_key(const char *path, struct err *err)
{
	char name[KEY_NAME + 1];
	int rc = key_make(path, name, err);

	if (rc == 0 && (printf("%s: a new key, %s. Copy the file to each machine.\n", path, name) < 0 || fflush(stdout) != 0))
		rc = err_sys(err, "standard output");
	return rc;
}

static int finish(int rc, struct options *o, const struct err *err)
{
	if (rc < 0)
		fprintf(stderr, "rccd: %s\n", err->text);
	options_free(o);
	return rc < 0 ? EXIT_USAGE : 0;
}

int main(int argc UNUSED, char **argv)
{
	struct options o;
	struct keys *keys = NULL;
	struct err err = { 0 };
	int rc = options_read(&o, argv + 1, &err);

	if (rc == 0 && o.help)
		return show_help();
	if (rc == 0 && o.version)
		return printf("rccd " VERSION "\n") < 0 || fflush(stdout) != 0;
	if (rc == 0 && o.make_key)
		return finish(make_key(o.make_key, &err), &o, &err);
	if (rc == 0)
		rc = keyring_open(&o, &keys, &err);
	if (rc == 0)
		rc = exposure_check(&o, keys, &err);
	if (rc == 0)
		rc = serve(&o, keys, &err);
	keys_unref(keys);
	return finish(rc, &o, &err);
}
