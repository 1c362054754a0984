/*
 * show.c - rcc's own pages; those about the farm are the agent's, printed as
 * they come.
 */
#include "show.h"

#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "agent.h"
#include "environment.h"
#include "interrupt.h"
#include "local.h"
#include "request.h"

enum { ANSWER_MS = 30000, REPAINT_MS = 500 };

static const char help[] =
	"usage: rcc COMPILER [ARGUMENT ...]\n"
	"\n"
	"Runs the compile on a volunteer machine of RCC_HOSTS, with the result of this one;\n"
	"here when that is faster, when it cannot be done elsewhere, or when anything fails.\n"
	"\n"
	"  --explain [--json] COMPILER [ARGUMENT ...]\n"
	"                        what would be run, where, and why; runs nothing\n"
	"  --hosts [--json]      the volunteers, and why one is not usable\n"
	"  --jobs [--json]       the number to give to make -j\n"
	"  --stats [--json]      what ran where since the last --zero-stats, and why\n"
	"  --watch               volunteers and jobs, live, until ^C\n"
	"  --zero-stats          count anew\n"
	"  --stop-agent          end the agent when its jobs are done\n"
	"  --install-links DIR   make links to rcc, named like the compilers in PATH\n"
	"  --help, --version\n"
	"\n"
	"Settings: RCC_HOSTS, RCC_MODE, RCC_LOCAL_SLOTS and more; see rcc(1) and rcc.conf(5).\n";

int show_help(void)
{
	fputs(help, stdout);
	return 0;
}

int show_version(void)
{
	puts("rcc " VERSION);
	return 0;
}

int show_wrong(const struct invoke *in)
{
	fprintf(stderr, "rcc: %s\n", in->complaint);
	return EXIT_RCC_USAGE;
}

int show_verdict(enum reason reason, bool json)
{
	if (json)
		printf("{\"verdict\":\"local\",\"reason\":\"%s\",\"text\":\"%s\"}\n", reason_key(reason),
		       reason_text(reason));
	else
		printf("local: %s (%s)\n", reason_text(reason), reason_key(reason));
	return 0;
}

/* The size of the terminal that is watched on; none, if it is not one. */
static void measure_terminal(uint16_t *columns, uint16_t *lines)
{
	struct winsize size = { 0 };

	if (!isatty(STDOUT_FILENO))
		return;
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	*columns = size.ws_col ? size.ws_col : 80;
	*lines = size.ws_row ? size.ws_row : 24;
}

static int ask_query(int fd, const struct invoke *in, struct fatal *answer, struct err *err)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct query q = { .kind = in->query, .json = in->json, .cores = local_cores() };
	autobuf struct buf payload = { 0 };
	struct reader r;
	uint8_t type;
	int rc, came;

	environment_collect(&q.env, environ);
	if (q.kind == QUERY_WATCH)
		measure_terminal(&q.columns, &q.lines);
	query_put(&payload, &q);
	query_free(&q);
	rc = agent_send(fd, REQUEST_QUERY, &payload, NULL, 0, err);
	if (rc < 0)
		return rc;
	if (interrupt_poll(&p, 1, ANSWER_MS) <= 0)
		return err_set(err, ERR_IO, "the agent does not answer");
	rc = agent_receive(fd, &type, &payload, &came, err);
	if (rc < 0)
		return rc;
	if (came >= 0)
		close(came);
	if (type != REQUEST_ANSWER && type != REQUEST_FATAL)
		return err_set(err, ERR_WIRE, "the agent said %s", request_protocol.rules[type].name);
	r = reader_of(payload.p, payload.len);
	rc = fatal_get(&r, answer, err);
	return rc < 0 ? rc : type;
}

/* Over what was there, each line's rest and all below it cleared, in one write. */
static void paint(const char *text)
{
	autobuf struct buf b = { 0 };

	buf_puts(&b, "\033[H");
	for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
		buf_add(&b, text, (size_t)(end - text));
		buf_puts(&b, "\033[K\n");
	}
	buf_puts(&b, "\033[J");
	fwrite(b.p, 1, b.len, stdout);
	fflush(stdout);
}

/* One page. The agent is only started for the first: who ended it meant it. */
static int repaint(const struct invoke *in, bool first, struct err *err)
{
	struct fatal answer = { 0 };
	autoclose int fd = agent_connect(first, err);
	int type = fd < 0 ? ERR_ABSENT : ask_query(fd, in, &answer, err), status = answer.status;

	if (type < 0 && first)
		return EXIT_RCC_INTERNAL;
	if (type < 0)
		paint("rcc: no agent; the next compile starts one\n");
	else if (type == REQUEST_ANSWER)
		paint(answer.text);
	else
		err_set(err, ERR_CONFIG, "%s", answer.text);
	free(answer.text);
	return status;
}

/* Nothing of the terminal's state is changed, so whatever ends us leaves it sound. */
static int watch(const struct invoke *in, unsigned lines)
{
	struct err err = { 0 };
	int status = 0;

	interrupt_begin();
	while (lines--)
		putchar('\n');	/* what is on the screen is kept, above */
	for (bool first = true; status == 0 && !ferror(stdout); first = false) {
		status = repaint(in, first, &err);
		if (interrupt_poll(NULL, 0, REPAINT_MS) < 0)
			break;
	}
	interrupt_end();
	if (status)
		fprintf(stderr, "rcc: %s\n", err.text);
	return status;
}

static int print_answer(const struct invoke *in)
{
	bool stop = in->query == QUERY_STOP;
	struct err err = { 0 };
	struct fatal answer = { 0 };
	autoclose int fd = agent_connect(!stop, &err);
	int type = fd < 0 ? ERR_ABSENT : ask_query(fd, in, &answer, &err);

	if (stop && (fd < 0 || type == ERR_CLOSED))
		return 0;	/* it is not there: what was wanted */
	if (type < 0) {
		fprintf(stderr, "rcc: %s\n", err.text);
		return EXIT_RCC_INTERNAL;
	}
	if (type == REQUEST_FATAL)
		fprintf(stderr, "rcc: %s\n", answer.text);
	else
		fputs(answer.text, stdout);
	free(answer.text);
	return answer.status;
}

int show_query(const struct invoke *in)
{
	uint16_t columns = 0, lines = 0;

	if (in->query == QUERY_WATCH)
		measure_terminal(&columns, &lines);
	return lines ? watch(in, lines) : print_answer(in);
}

int show_end(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "rcc: standard output: %s\n", strerror(errno));
	return status ? status : EXIT_RCC_INTERNAL;
}
