/*
 * show.c - rcc's own pages; those about the farm are the agent's, printed as
 * they come.
 */
#include "show.h"

#include <errno.h>
#include <stdio.h>

#include "agent.h"
#include "environment.h"
#include "interrupt.h"
#include "local.h"
#include "request.h"

enum { ANSWER_MS = 30000 };

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

static int ask_query(int fd, const struct invoke *in, struct fatal *answer, struct err *err)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct query q = { .kind = in->query, .json = in->json, .cores = local_cores() };
	autobuf struct buf payload = { 0 };
	struct reader r;
	uint8_t type;
	int rc;

	environment_collect(&q.env, environ);
	query_put(&payload, &q);
	query_free(&q);
	rc = agent_send(fd, REQUEST_QUERY, &payload, NULL, 0, err);
	if (rc < 0)
		return rc;
	if (poll(&p, 1, ANSWER_MS) <= 0)
		return err_set(err, ERR_IO, "the agent does not answer");
	rc = agent_receive(fd, &type, &payload, err);
	if (rc < 0)
		return rc;
	if (type != REQUEST_ANSWER && type != REQUEST_FATAL)
		return err_set(err, ERR_WIRE, "the agent said %s", request_protocol.rules[type].name);
	r = reader_of(payload.p, payload.len);
	rc = fatal_get(&r, answer, err);
	return rc < 0 ? rc : type;
}

int show_query(const struct invoke *in)
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

int show_end(int status)
{
	if (fflush(stdout) == 0)
		return status;
	fprintf(stderr, "rcc: standard output: %s\n", strerror(errno));
	return status ? status : EXIT_RCC_INTERNAL;
}
