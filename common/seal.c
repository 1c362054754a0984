/*
 * seal.c - GnuTLS, kept to one suite of choices.
 */
#include "seal.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <sys/socket.h>

/* One version, one way to agree; the PSK binder is SHA-256, and so are the suites. */
#define PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+ECDHE-PSK:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:" \
		 "-CIPHER-ALL:+AES-128-GCM:+CHACHA20-POLY1305"
#define EXPORTER "EXPORTER-rcc-1"

static const struct {
	const char *label;	/* of the secret that its proof is made with */
	unsigned flags;
} roles[] = {
	[SEAL_CALLER] = { "rcc-1 caller", GNUTLS_CLIENT },
	[SEAL_VOLUNTEER] = { "rcc-1 volunteer", GNUTLS_SERVER },
};

struct seal {
	gnutls_session_t session;
	union {
		gnutls_psk_client_credentials_t client;
		gnutls_psk_server_credentials_t server;
	} credentials;
	enum seal_role role;
	int fd;
	struct keys *keys;
	const struct key *key;	/* of keys; at a volunteer: the one that the caller named */
	bool greeted;		/* the TLS handshake is over */
	bool ready;		/* and our proof is on its way */
	bool proved;		/* the other end's has been seen */
	bool spoke_tls;		/* it sent something that deserves an alert */
	bool deaf;		/* end holds why */
	struct err end;
	int socket_errno;	/* of the push or pull that failed */
	uint64_t bytes_in;
};

static ssize_t push(gnutls_transport_ptr_t transport, const void *p, size_t len)
{
	struct seal *s = transport;
	ssize_t n;

	do
		n = send(s->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		gnutls_transport_set_errno(s->session, s->socket_errno = errno);
	return n;
}

static ssize_t pull(gnutls_transport_ptr_t transport, void *p, size_t len)
{
	struct seal *s = transport;
	ssize_t n;

	do
		n = recv(s->fd, p, len, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		gnutls_transport_set_errno(s->session, s->socket_errno = errno);
	else
		s->bytes_in += (uint64_t)n;
	return n;
}

/* The secret of the TLS handshake, in memory that GnuTLS frees. */
static int tls_secret(const struct key *key, gnutls_datum_t *out)
{
	out->data = gnutls_malloc(KEY_SECRET);
	out->size = KEY_SECRET;
	if (!out->data)
		return -1;
	key_derive(key, "rcc-1 psk", out->data);
	return 0;
}

/* A caller names its key. */
static int on_name(gnutls_session_t session, const gnutls_datum_t *name, gnutls_datum_t *secret)
{
	struct seal *s = gnutls_session_get_ptr(session);

	s->spoke_tls = true;
	s->key = keys_find(s->keys, (const char *)name->data, name->size);
	return s->key ? tls_secret(s->key, secret) : -1;
}

static int set_caller(struct seal *s)
{
	gnutls_datum_t secret, name;
	int rc;

	s->key = &s->keys->all[0];
	name = (gnutls_datum_t){ (unsigned char *)s->key->name, (unsigned)strlen(s->key->name) };
	if (gnutls_psk_allocate_client_credentials(&s->credentials.client) < 0 || tls_secret(s->key, &secret) < 0)
		return -1;
	rc = gnutls_psk_set_client_credentials2(s->credentials.client, &name, &secret, GNUTLS_PSK_KEY_RAW);
	explicit_bzero(secret.data, secret.size);
	gnutls_free(secret.data);
	return rc < 0 ? rc : gnutls_credentials_set(s->session, GNUTLS_CRD_PSK, s->credentials.client);
}

static int set_volunteer(struct seal *s)
{
	if (gnutls_psk_allocate_server_credentials(&s->credentials.server) < 0)
		return -1;
	gnutls_psk_set_server_credentials_function2(s->credentials.server, on_name);
	return gnutls_credentials_set(s->session, GNUTLS_CRD_PSK, s->credentials.server);
}

/* No tickets: each connection runs the whole handshake, and connections are kept. */
struct seal *seal_new(int fd, enum seal_role role, struct keys *keys)
{
	static gnutls_priority_t priority;
	struct seal *s = xcalloc(1, sizeof *s);

	*s = (struct seal){ .fd = fd, .role = role, .keys = keys_ref(keys) };
	/* these fail for want of memory, or where GnuTLS was built without what we ask for */
	if ((!priority && gnutls_priority_init(&priority, PRIORITY, NULL) < 0) ||
	    gnutls_init(&s->session, roles[role].flags | GNUTLS_NONBLOCK | GNUTLS_NO_TICKETS | GNUTLS_NO_SIGNAL) < 0 ||
	    gnutls_priority_set(s->session, priority) < 0 ||
	    (role == SEAL_CALLER ? set_caller(s) : set_volunteer(s)) < 0)
		abort();
	gnutls_session_set_ptr(s->session, s);
	gnutls_transport_set_ptr(s->session, s);
	gnutls_transport_set_push_function(s->session, push);
	gnutls_transport_set_pull_function(s->session, pull);
	gnutls_handshake_set_timeout(s->session, GNUTLS_INDEFINITE_TIMEOUT);	/* whoever opened it has the clock */
	return s;
}

void seal_free(struct seal *s)
{
	if (!s)
		return;
	gnutls_deinit(s->session);
	if (s->role == SEAL_CALLER)
		gnutls_psk_free_client_credentials(s->credentials.client);
	else
		gnutls_psk_free_server_credentials(s->credentials.server);
	keys_unref(s->keys);
	free(s);
}

/* What an error of GnuTLS amounts to; remembered, as it only tells once. */
static int ended(struct seal *s, ssize_t rc, struct err *err)
{
	bool early = !s->greeted, caller = s->role == SEAL_CALLER;

	if (rc == 0 || rc == GNUTLS_E_PREMATURE_TERMINATION)
		err_set(&s->end, early ? ERR_REFUSED : ERR_CLOSED, !early ? "closed by the peer" :
			caller ? "it has no key: closed during the handshake" : "left during the handshake");
	else if (rc == GNUTLS_E_FATAL_ALERT_RECEIVED)
		err_set(&s->end, ERR_REFUSED, "it has another key");
	else if (rc == GNUTLS_E_PULL_ERROR || rc == GNUTLS_E_PUSH_ERROR)
		err_set(&s->end, s->socket_errno == ECONNRESET || s->socket_errno == EPIPE ? ERR_CLOSED : ERR_IO, "%s",
			strerror(s->socket_errno));
	else if (early && !s->spoke_tls)
		err_set(&s->end, ERR_REFUSED, caller ? "it has no key: %s" : "has no key: %s", gnutls_strerror((int)rc));
	else if (early)
		err_set(&s->end, ERR_REFUSED, "has another key: %s", gnutls_strerror((int)rc));
	else
		err_set(&s->end, ERR_WIRE, "TLS: %s", gnutls_strerror((int)rc));
	s->deaf = true;
	if (err)
		*err = s->end;
	return s->end.code;
}

static bool is_passing(ssize_t rc)
{
	return rc == GNUTLS_E_AGAIN || rc == GNUTLS_E_INTERRUPTED;
}

/* What proves a role on this very connection: no other has the same exporter. */
static int make_proof(struct seal *s, enum seal_role role, unsigned char *proof)
{
	unsigned char bound[KEY_SECRET];
	struct key secret = { 0 };
	int rc = gnutls_prf_rfc5705(s->session, sizeof EXPORTER - 1, EXPORTER, 0, NULL, sizeof bound, (char *)bound);

	if (rc < 0)
		return rc;
	key_derive(s->key, roles[role].label, secret.secret);
	rc = gnutls_hmac_fast(GNUTLS_MAC_SHA256, secret.secret, KEY_SECRET, bound, sizeof bound, proof);
	explicit_bzero(&secret, sizeof secret);
	return rc;
}

/* Our proof, as the first record. */
static ssize_t send_proof(struct seal *s)
{
	unsigned char proof[KEY_SECRET];
	int rc = make_proof(s, s->role, proof);

	return rc < 0 ? rc : gnutls_record_send(s->session, proof, sizeof proof);
}

int seal_handshake(struct seal *s, struct err *err)
{
	ssize_t rc = 0;

	if (!s->greeted) {
		do
			rc = gnutls_handshake(s->session);
		while (rc == GNUTLS_E_INTERRUPTED);
		if (rc < 0 && rc != GNUTLS_E_AGAIN && s->spoke_tls)
			gnutls_alert_send_appropriate(s->session, (int)rc);
		if (rc < 0)
			return rc == GNUTLS_E_AGAIN ? 0 : ended(s, rc, err);
		s->greeted = true;
	}
	if (!s->ready) {
		rc = send_proof(s);
		if (rc < 0)
			return is_passing(rc) ? 0 : ended(s, rc, err);
		s->ready = true;
	}
	return 1;
}

bool seal_is_ready(const struct seal *s) { return s->ready; }
uint64_t seal_bytes_in(const struct seal *s) { return s->bytes_in; }
const struct key *seal_key(const struct seal *s) { return s->ready ? s->key : NULL; }

bool seal_wants_write(const struct seal *s)
{
	/* a caller speaks first: also before its first step */
	return gnutls_record_get_direction(s->session) == 1 || (s->role == SEAL_CALLER && !s->greeted && !s->bytes_in) ||
	       (s->greeted && !s->ready);
}

ssize_t seal_write(struct seal *s, const void *p, size_t len)
{
	ssize_t n = gnutls_record_send(s->session, p, size_min(len, SEAL_RECORD));

	if (n >= 0)
		return n;
	if (is_passing(n))
		return 0;
	errno = n == GNUTLS_E_PUSH_ERROR ? s->socket_errno : EPROTO;
	return -1;
}

/* The first record must be the other role's proof. */
static int check_proof(struct seal *s, const unsigned char *p, ssize_t len, struct err *err)
{
	unsigned char proof[KEY_SECRET];
	enum seal_role other = s->role == SEAL_CALLER ? SEAL_VOLUNTEER : SEAL_CALLER;

	if (make_proof(s, other, proof) == 0 && len == KEY_SECRET && gnutls_memcmp(proof, p, KEY_SECRET) == 0) {
		s->proved = true;
		return 0;
	}
	err_set(&s->end, ERR_REFUSED, "did not prove its role");
	s->deaf = true;
	if (err)
		*err = s->end;
	return s->end.code;
}

ssize_t seal_read(struct seal *s, void *p, struct err *err)
{
	ssize_t n;
	int rc;

	do {
		if (s->deaf) {
			if (err)
				*err = s->end;
			return s->end.code;
		}
		n = gnutls_record_recv(s->session, p, SEAL_RECORD);
		if (n <= 0)
			return is_passing(n) ? 0 : ended(s, n, err);
		if (s->proved)
			return n;
		rc = check_proof(s, p, n, err);
	} while (rc == 0);
	return rc;
}
