// Lets User-mode Linux 6.1 run on processors with AVX-512 or AMX. It keeps 832 octets of a thread's vector registers; a
// kernel with more of them refuses to set so few. Preloaded into linux.uml, this keeps the rest for it. And it
// does not set again registers that are what they were: it is a seventh of the time that a machine takes.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	STATE_MAX = 16384,	// octets of one thread's whole state; 11008 with AMX
	SLOTS = 4096,		// threads of the machine; beyond it a slot is shared, which costs only the upper vector halves
	PROCESSES = 1024,	// of the host, one for each memory of the machine; of two with one place the last is known
};

struct slot {
	const void *owner;	// where the machine keeps its 832 octets of this thread
	size_t n;
	uint8_t state[STATE_MAX];
};

static struct slot *slots;

// What is in the registers of a process of the host; n = 0: not known.
static struct held {
	pid_t pid;
	size_t n;
	uint8_t state[STATE_MAX];
} held[PROCESSES];

static struct held *held_of(pid_t pid)
{
	struct held *h = &held[(unsigned)pid % PROCESSES];
	if (h->pid != pid) {
		h->pid = pid;
		h->n = 0;
	}
	return h;
}

static void hold(pid_t pid, const struct slot *slot)
{
	struct held *h = held_of(pid);
	memcpy(h->state, slot->state, slot->n);
	h->n = slot->n;
}

static bool holds(pid_t pid, const struct slot *slot)
{
	const struct held *h = held_of(pid);
	return h->n == slot->n && memcmp(h->state, slot->state, h->n) == 0;
}

// Of these a process keeps its registers. With CONT and no signal the machine runs a few instructions of its own in it, to map
// memory, which know nothing of vectors.
static bool keeps(enum __ptrace_request request, const void *data)
{
	return request == PTRACE_GETREGS || request == PTRACE_SETREGS || (request == PTRACE_CONT && data == NULL);
}

static struct slot *slot_of(const void *owner)
{
	if (slots == NULL) {
		slots = mmap(NULL, SLOTS * sizeof *slots, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (slots == MAP_FAILED)
			_exit(125);
	}
	return &slots[(((uintptr_t)owner >> 6) * 0x9E3779B97F4A7C15u) >> 52];
}

// The host's next ptrace; its prototype is variadic, its calls always carry four arguments.
static long host(enum __ptrace_request request, pid_t pid, void *addr, void *data)
{
	static long (*next)(enum __ptrace_request, ...);
	if (next == NULL)
		next = (long (*)(enum __ptrace_request, ...))dlsym(RTLD_NEXT, "ptrace");
	return next(request, pid, addr, data);
}

static long get_state(pid_t pid, struct iovec *v)
{
	struct slot *slot = slot_of(v->iov_base);
	struct iovec whole = { slot->state, STATE_MAX };
	long r = host(PTRACE_GETREGSET, pid, (void *)NT_X86_XSTATE, &whole);
	if (r != 0)
		return r;
	slot->owner = v->iov_base;
	slot->n = whole.iov_len;
	hold(pid, slot);
	if (v->iov_len > slot->n)
		v->iov_len = slot->n;
	memcpy(v->iov_base, slot->state, v->iov_len);
	return 0;
}

static long set_state(pid_t pid, const struct iovec *v)
{
	struct slot *slot = slot_of(v->iov_base);
	struct iovec whole = { slot->state, STATE_MAX };
	if (slot->owner != v->iov_base) {	// a new thread: its upper halves are whatever the process has
		long r = host(PTRACE_GETREGSET, pid, (void *)NT_X86_XSTATE, &whole);
		if (r != 0)
			return r;
		slot->owner = v->iov_base;
		slot->n = whole.iov_len;
	}
	memcpy(slot->state, v->iov_base, v->iov_len < slot->n ? v->iov_len : slot->n);
	if (holds(pid, slot))
		return 0;
	whole.iov_len = slot->n;
	long r = host(PTRACE_SETREGSET, pid, (void *)NT_X86_XSTATE, &whole);
	if (r == 0)
		hold(pid, slot);
	return r;
}

long ptrace(enum __ptrace_request request, ...)
{
	va_list ap;
	va_start(ap, request);
	pid_t pid = va_arg(ap, pid_t);
	void *addr = va_arg(ap, void *);
	void *data = va_arg(ap, void *);
	va_end(ap);
	if (addr == (void *)NT_X86_XSTATE && request == PTRACE_GETREGSET)
		return get_state(pid, data);
	if (addr == (void *)NT_X86_XSTATE && request == PTRACE_SETREGSET)
		return set_state(pid, data);
	if (!keeps(request, data))
		held_of(pid)->n = 0;
	return host(request, pid, addr, data);
}
