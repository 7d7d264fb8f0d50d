/* check_xfrm_job.c -- jobs of the kernel's IPsec, with a kernel that refuses and one whose answers are lost: an SA that follows its peer is
 * moved, or gone and said to be gone. */
#include "suite.h"
#include "xfrm_seen.h"

#include <errno.h>
#include <string.h>

#include "kernel/xfrm_job.h"

/* ---- the kernel: it has one SA ---------------------------------------------------------- */

#define SENT 16

static struct {
	struct xfrm_message sa;
	bool has_sa;
	unsigned refuses;	/* so many requests to make or change an SA */
	int error;		/* with which it does */
	uint16_t loses;		/* the answers to requests of this type, 0 = none */
	bool overrun;		/* one was lost */
	struct { uint16_t type; struct ip_addr dst; } sent[SENT];
	unsigned n_sent;
	struct xfrm_message answer[SENT];
	unsigned n_answers, taken;
} kernel;

static struct {
	unsigned n;
	bool ok;
	uint64_t packets;
	char why[200];
} done;

static bool makes(uint16_t type)
{
	return type == XFRM_MSG_NEWSA || type == XFRM_MSG_UPDSA;
}

static int carry_out(const struct xfrm_message *m)
{
	uint16_t type = m->u.h.nlmsg_type;

	if (makes(type) && kernel.refuses > 0) {
		kernel.refuses--;
		return kernel.error;
	}
	if (type == XFRM_MSG_NEWSA ? kernel.has_sa : !kernel.has_sa)
		return type == XFRM_MSG_NEWSA ? EEXIST : ESRCH;
	if (makes(type))
		kernel.sa = *m;
	if (type != XFRM_MSG_GETSA)
		kernel.has_sa = type != XFRM_MSG_DELSA;
	return 0;
}

/* In place of those of libmnl. */
ssize_t mnl_socket_sendto(const struct mnl_socket *nl, const void *request, size_t n)
{
	struct xfrm_message *a = &kernel.answer[kernel.n_answers], m = { 0 };
	const struct xfrm_usersa_id *id;
	struct nlmsgerr *e;
	int error;

	(void)nl;
	ck_assert_uint_le(n, sizeof(m));
	ck_assert_uint_lt(kernel.n_sent, SENT);
	memcpy(&m, request, n);
	id = mnl_nlmsg_get_payload(&m.u.h);
	kernel.sent[kernel.n_sent].type = m.u.h.nlmsg_type;
	kernel.sent[kernel.n_sent++].dst = makes(m.u.h.nlmsg_type) ? xfrm_id_of(xfrm_sa_of(&m.u.h)).dst
								   : xfrm_addr(&id->daddr, id->family);
	error = carry_out(&m);
	if (m.u.h.nlmsg_type == kernel.loses) {
		kernel.overrun = true;
		return (ssize_t)n;
	}
	if (error == 0 && m.u.h.nlmsg_type == XFRM_MSG_GETSA) {
		*a = kernel.sa;
		a->u.h.nlmsg_type = XFRM_MSG_NEWSA;
	} else {
		mnl_nlmsg_put_header(a->u.p);
		a->u.h.nlmsg_type = NLMSG_ERROR;
		e = mnl_nlmsg_put_extra_header(&a->u.h, sizeof(*e));
		*e = (struct nlmsgerr){ .error = -error, .msg = m.u.h };
	}
	a->u.h.nlmsg_seq = m.u.h.nlmsg_seq;
	kernel.n_answers++;
	return (ssize_t)n;
}

ssize_t mnl_socket_recvfrom(const struct mnl_socket *nl, void *room, size_t size)
{
	const struct xfrm_message *a = &kernel.answer[kernel.taken];

	(void)nl;
	if (kernel.overrun || kernel.taken == kernel.n_answers) {
		errno = kernel.overrun ? ENOBUFS : EAGAIN;
		kernel.overrun = false;
		return -1;
	}
	ck_assert_uint_le(a->u.h.nlmsg_len, size);
	memcpy(room, a, a->u.h.nlmsg_len);
	kernel.taken++;
	return (ssize_t)a->u.h.nlmsg_len;
}

/* ---- one job ------------------------------------------------------------------------------- */

static void on_done(void *ctx, uint32_t token, const struct kernel_result *r)
{
	(void)ctx;
	ck_assert_uint_eq(token, 7);
	done.n++;
	done.ok = r->ok;
	done.packets = r->counts.packets;
	if (r->why != NULL)
		strncpy(done.why, r->why, sizeof(done.why) - 1);
}

/* Whatever there is to answer is answered. */
static void carry(struct xfrm_job *j)
{
	static struct xfrm_jobs js;

	memset(&done, 0, sizeof(done));
	memset(&js, 0, sizeof(js));
	STAILQ_INIT(&js.waiting);
	js.events.done = on_done;
	xfrm_job_submit(&js, j);
	for (unsigned i = 0; i < SENT; i++)
		xfrm_jobs_answers(&js);
	ck_assert_uint_eq(done.n, 1);
	ck_assert_uint_eq(HASH_COUNT(js.under_way), 0);
	xfrm_jobs_close(&js);
}

static struct sa_id its_id(void)
{
	return xfrm_id_of(xfrm_sa_of(&kernel.sa.u.h));
}

/* The SA, as it is in the kernel, is to follow its peer. */
static void move(bool inbound, const struct endpoint *peer)
{
	struct sa_id id = its_id();
	struct xfrm_job *j = xfrm_job_new(7);

	strcpy(j->what, "cannot move it");
	xfrm_job_move(j, &id, inbound, peer);
	carry(j);
}

static void begin(bool inbound)
{
	memset(&kernel, 0, sizeof(kernel));
	kernel.sa = seen(inbound, true, span_of(keys, 16));
	kernel.has_sa = true;
	kernel.error = ENOMEM;
}

/* Of each request the first letter of its name: get, delete, new, update. */
static void sent_are(const char *letters)
{
	char were[SENT + 1] = "";

	for (unsigned i = 0; i < kernel.n_sent; i++) {
		uint16_t type = kernel.sent[i].type;

		were[i] = type == XFRM_MSG_GETSA ? 'g' : type == XFRM_MSG_DELSA ? 'd' : type == XFRM_MSG_NEWSA ? 'n' :
			  type == XFRM_MSG_UPDSA ? 'u' : '?';
	}
	ck_assert_str_eq(were, letters);
}

static const struct endpoint other_port = { .addr = { .len = 4, .b = { 192, 0, 2, 2 } }, .port = 4600 };
static const struct endpoint elsewhere = { .addr = { .len = 4, .b = { 192, 0, 2, 77 } }, .port = 4700 };

START_TEST(it_follows)
{
	bool inbound = _i != 0;

	begin(inbound);
	move(inbound, &other_port);
	ck_assert(done.ok && kernel.has_sa);
	sent_are("gu");
	begin(inbound);
	move(inbound, &elsewhere);
	ck_assert(done.ok && kernel.has_sa);
	sent_are("ggdn");
}
END_TEST

/* What is gone already is made all the same if a second attempt helps. */
START_TEST(refused_once)
{
	begin(_i != 0);
	kernel.refuses = 1;
	move(_i != 0, &elsewhere);
	ck_assert(done.ok && kernel.has_sa);
	sent_are("ggdnn");
}
END_TEST

START_TEST(refused_twice)
{
	begin(_i != 0);
	kernel.refuses = 2;
	move(_i != 0, &elsewhere);
	ck_assert(!done.ok && !kernel.has_sa);
	ck_assert_ptr_nonnull(strstr(done.why, "cannot move it: "));
	ck_assert_ptr_nonnull(strstr(done.why, strerror(ENOMEM)));
	sent_are("ggdnngd");
}
END_TEST

/* The SA that could not be changed in place would speak to where the peer was. */
START_TEST(port_refused)
{
	begin(_i != 0);
	kernel.refuses = 1;
	move(_i != 0, &other_port);
	ck_assert(!done.ok && !kernel.has_sa);
	sent_are("gugd");
}
END_TEST

START_TEST(keys_are_not_shown)
{
	static const uint8_t zeros[16];

	begin(_i != 0);
	kernel.sa = seen(_i != 0, true, span_of(zeros, sizeof(zeros)));
	move(_i != 0, &elsewhere);
	ck_assert(!done.ok && !kernel.has_sa);
	ck_assert_ptr_nonnull(strstr(done.why, "shows no keys"));
	sent_are("ggd");
}
END_TEST

/* Whether it was made is not known: neither is left. */
START_TEST(answer_lost)
{
	bool inbound = _i != 0;

	begin(inbound);
	kernel.loses = XFRM_MSG_NEWSA;
	move(inbound, &elsewhere);
	ck_assert(!done.ok && !kernel.has_sa);
	sent_are(inbound ? "ggdngd" : "ggdngdgd");
	if (!inbound) {
		ck_assert(addr_eq(&kernel.sent[5].dst, &west));
		ck_assert(addr_eq(&kernel.sent[7].dst, &elsewhere.addr));
	}
}
END_TEST

START_TEST(it_is_not_there)
{
	begin(_i != 0);
	kernel.has_sa = false;
	move(_i != 0, &elsewhere);
	ck_assert(!done.ok);
	ck_assert_str_eq(done.why, "cannot move it: there is none");
}
END_TEST

/* Another program may have an SA by the same name, so that ours could not be added: it stays. */
START_TEST(deleted_if_ours)
{
	bool ours = _i != 0;
	struct xfrm_job *j = xfrm_job_new(7);
	struct sa_id id;

	begin(false);
	if (!ours)
		((struct xfrm_usersa_info *)mnl_nlmsg_get_payload(&kernel.sa.u.h))->reqid = 9;
	id = its_id();
	xfrm_job_delete(j, &id);
	carry(j);
	ck_assert(done.ok);
	ck_assert_uint_eq(done.packets, ours ? 10 : 0);
	ck_assert(kernel.has_sa == !ours);
	sent_are(ours ? "gd" : "g");
}
END_TEST

/* An errno that says nothing by itself is explained by whoever asked. */
START_TEST(invalid_means)
{
	struct xfrm_jobs js = { .events = { .done = on_done } };
	struct xfrm_job *j = xfrm_job_new(7);

	memset(&done, 0, sizeof(done));
	STAILQ_INIT(&js.waiting);
	strcpy(j->what, "cannot add it");
	j->if_invalid = "; another kernel would";
	xfrm_job_fail(&js, j, EINVAL, NULL);
	ck_assert(!done.ok);
	ck_assert_ptr_nonnull(strstr(done.why, "cannot add it: "));
	ck_assert_ptr_nonnull(strstr(done.why, "; another kernel would"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("xfrm_job");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, it_follows, 0, 2);
	tcase_add_loop_test(t, refused_once, 0, 2);
	tcase_add_loop_test(t, refused_twice, 0, 2);
	tcase_add_loop_test(t, port_refused, 0, 2);
	tcase_add_loop_test(t, keys_are_not_shown, 0, 2);
	tcase_add_loop_test(t, answer_lost, 0, 2);
	tcase_add_loop_test(t, it_is_not_there, 0, 2);
	tcase_add_loop_test(t, deleted_if_ours, 0, 2);
	tcase_add_test(t, invalid_means);
	suite_add_tcase(s, t);
	return run_suite(s);
}
