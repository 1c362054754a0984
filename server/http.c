/*
 * http.c - libmicrohttpd, run from the event loop by its epoll descriptor.
 */
#include "http.h"

#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "listen.h"
#include "log.h"
#include "status.h"

enum { CONNECTIONS_MAX = 64, TIMEOUT_S = 10 };

struct http {
	struct server *server;
	struct MHD_Daemon *daemon;
	uv_poll_t poll;
	uv_timer_t timer;
	int handles;
};

struct reply {
	unsigned status;
	const char *type;
	struct buf body;
};

static void reply_page(const struct status *st, struct reply *r) { status_page(st, &r->body); }
static void reply_json(const struct status *st, struct reply *r) { status_json(st, &r->body); }
static void reply_metrics(const struct status *st, struct reply *r) { status_metrics(st, &r->body); }

static void reply_health(const struct status *st, struct reply *r)
{
	r->status = st->slots.draining ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK;
	buf_puts(&r->body, st->slots.draining ? "draining\n" : "ok\n");
}

static const struct {
	const char *path, *type;
	void (*make)(const struct status *st, struct reply *r);
} pages[] = {
	{ "/", "text/html; charset=utf-8", reply_page },
	{ "/status.json", "application/json", reply_json },
	{ "/metrics", "text/plain; version=0.0.4; charset=utf-8", reply_metrics },
	{ "/healthz", "text/plain; charset=utf-8", reply_health },
};

/* On every answer. */
static const struct { const char *name, *value; } headers[] = {
	{ "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
				     "form-action 'none'; frame-ancestors 'none'" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ "Cache-Control", "no-store" },
};

bool http_host_ok(const char *host, const char *own_name)
{
	autofree char *name = xstrdup(host);
	char *colon = strrchr(name, ':');

	if (colon && !strchr(colon, ']') && strspn(colon + 1, "0123456789") == strlen(colon + 1))
		*colon = 0;
	return address_is_literal(name) || strcasecmp(name, "localhost") == 0 || strcasecmp(name, own_name) == 0;
}

/* The browser's own Host; whoever sends none is no browser. */
static bool host_allowed(const struct server *s, struct MHD_Connection *c)
{
	const char *host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host");
	char own[256] = "";

	gethostname(own, sizeof own - 1);
	return !host || http_host_ok(host, s->options->name) || http_host_ok(host, own);
}

static void plain(struct reply *r, unsigned status, const char *text)
{
	r->status = status;
	r->type = "text/plain; charset=utf-8";
	buf_puts(&r->body, text);
}

static void make_page(const struct server *s, const char *path, struct reply *r)
{
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		struct status st;

		if (!str_eq(path, pages[i].path))
			continue;
		*r = (struct reply){ .status = MHD_HTTP_OK, .type = pages[i].type };
		status_take(s, &st);
		pages[i].make(&st, r);
		status_free(&st);
		return;
	}
	plain(r, MHD_HTTP_NOT_FOUND, "There is no such page. Try / or /status.json or /metrics or /healthz.\n");
}

static enum MHD_Result send_reply(struct MHD_Connection *c, struct reply *r)
{
	/* the response frees the body */
	struct MHD_Response *response = MHD_create_response_from_buffer(r->body.len, r->body.p, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result rc;

	if (!response) {
		buf_free(&r->body);
		return MHD_NO;
	}
	for (size_t i = 0; i < ARRAY_LEN(headers); i++)
		MHD_add_response_header(response, headers[i].name, headers[i].value);
	MHD_add_response_header(response, "Content-Type", r->type);
	if (r->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", "GET, HEAD");
	rc = MHD_queue_response(c, r->status, response);
	MHD_destroy_response(response);
	return rc;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *path, const char *method,
				  const char *version UNUSED, const char *data UNUSED, size_t *size UNUSED,
				  void **state UNUSED)
{
	struct server *s = arg;
	struct reply r = { 0 };

	if (!str_eq(method, "GET") && !str_eq(method, "HEAD"))
		plain(&r, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET and HEAD.\n");
	else if (!host_allowed(s, c))
		plain(&r, MHD_HTTP_MISDIRECTED_REQUEST, "This host has another name. Use its address.\n");
	else
		make_page(s, path, &r);
	return send_reply(c, &r);
}

static void on_timer(uv_timer_t *timer);

static void run(struct http *h)
{
	MHD_UNSIGNED_LONG_LONG wait_ms;

	MHD_run(h->daemon);
	if (MHD_get_timeout(h->daemon, &wait_ms) == MHD_YES)
		uv_timer_start(&h->timer, on_timer, wait_ms, 0);
	else
		uv_timer_stop(&h->timer);
}

static void on_timer(uv_timer_t *timer) { run(timer->data); }
static void on_readable(uv_poll_t *poll, int status UNUSED, int events UNUSED) { run(poll->data); }

/* libmicrohttpd's own complaints, such as a client that went away. */
static void on_log(void *arg UNUSED, const char *fmt, va_list ap)
{
	char line[256];

	vsnprintf(line, sizeof line, fmt, ap);
	line[strcspn(line, "\n")] = 0;
	log_debug("http", "what=\"%s\"", line);
}

static int start_daemon(struct server *s, int fd, struct err *err)
{
	struct http *h = xcalloc(1, sizeof *h);
	const union MHD_DaemonInfo *info;

	*h = (struct http){ .server = s, .handles = 2 };
	h->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, s,
				     MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
				     MHD_OPTION_LISTEN_SOCKET, fd,
				     MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
				     MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S,
				     MHD_OPTION_END);
	info = h->daemon ? MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info) {
		free(h);
		close(fd);
		return err_set(err, ERR_CONFIG, "--http: the HTTP library does not start");
	}
	uv_poll_init(s->loop, &h->poll, info->epoll_fd);
	uv_timer_init(s->loop, &h->timer);
	h->poll.data = h->timer.data = h;
	uv_poll_start(&h->poll, UV_READABLE, on_readable);
	s->http = h;
	return 0;
}

int http_start(struct server *s, struct err *err)
{
	const char *text = s->options->http;
	struct address where;
	char at[ADDRESS_TEXT];
	int fd;

	if (str_eq(text, "off"))
		return 0;
	fd = listen_open("--http", text, &where, err);
	if (fd < 0)
		return fd;
	if (start_daemon(s, fd, err) < 0)
		return err->code;
	address_text(&where, at);
	s->http_address = xstrdup(at);
	log_info("http", "addr=%s", at);
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct http *h = handle->data;

	if (--h->handles)
		return;
	MHD_stop_daemon(h->daemon);	/* closes the socket too */
	free(h);
}

void http_stop(struct server *s)
{
	if (!s->http)
		return;
	uv_close((uv_handle_t *)&s->http->poll, on_closed);
	uv_close((uv_handle_t *)&s->http->timer, on_closed);
	s->http = NULL;
}
