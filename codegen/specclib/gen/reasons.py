"""reasons.h, reasons.c: every refusal by name, and a function for each that puts it into words."""

import re

from .cwriter import C, add_with_helpers, cname, cstr, finish, start, upper
from .resolve import Resolver, spec_of

C_TYPE = {
	'u32': 'uint32_t ', 'u64': 'uint64_t ', 'string': 'const char *', 'bytes': 'struct span ',
	'addr': 'const struct ip_addr *', 'endpoint': 'const struct endpoint *',
	'subnet': 'const struct subnet *',
}
FAULT = (('where', 'string'), ('field', 'string'), ('offset', 'u32'), ('got', 'u64'), ('want', 'u64'))
ROOM = 1024		# octets for one message, its end included
SHOWN = 32		# octets of `bytes` that are shown
PARAM = re.compile(r'\{([A-Za-z0-9_]+)\}')


def outputs(model):
	spec = spec_of(model)
	r = Resolver(model)
	return {'reasons.h': header(r, spec.reasons), 'reasons.c': source(r, spec.reasons)}


def place(reason):
	return '%s:%d' % (reason.loc.file, reason.loc.line)


def head(reason):
	params = ''.join(', %s%s' % (C_TYPE[p.type.text], cname(p.name.text)) for p in reason.params)
	return 'const struct refusal *refuse_%s(struct arena *a%s)' % (reason.name, params)


def is_fault(reason):
	"""Does a parser report it: are its parameters those of a struct fault?"""
	return tuple((p.name.text, p.type.text) for p in reason.params) == FAULT


def header(r, reasons):
	c = start('reasons.h', 'every reason to refuse something, and how it is told.',
		['base/addr.h', 'base/arena.h', 'base/tables.h'])
	with c.block('enum reason', '};'):
		c('REASON_NONE,')
		for reason in reasons:
			c('%s,\t/* %s */' % (upper('REASON', reason.name), place(reason)))
		c('REASON_COUNT')
	c.blank()
	with c.block('struct reason_desc', '};'):
		c('const char *name;')
		c('uint16_t notify;\t/* what may be told to the peer; 0 = nothing */')
		c('uint16_t status;\t/* for whack; 0 = the caller chooses */')
		c('const char *template;\t/* as the spec writes it, with {param} */')
		c('const char *remedy;\t/* the same, or NULL */')
		c('const char *doc;\t/* what it means, or NULL */')
	c.blank()
	c.comment('By enum reason.')
	c('extern const struct reason_desc reasons[REASON_COUNT];')
	c.blank()
	c.comment('refuse_X puts a reason into words. The result lives as long as the arena. Strings and octets '
		'may come from anywhere: what is not printable is escaped. A NULL is told as "?".')
	c.blank()
	for reason in reasons:
		if reason.text or reason.doc:
			c.comment(reason.text or reason.doc)
		c.fold(head(reason), ';')
		c.blank()
	c.comment('What a parser found. The notify is the one of the fault, or else that of its reason.')
	c('const struct refusal *refuse_fault(struct arena *a, const struct fault *f);')
	return finish(c, 'reasons.h')


FINISH = '''
/* The refusal itself, of texts that stand on the stack. */
static const struct refusal *refusal_of(struct arena *a, enum reason reason, const struct text *message,
					const struct text *remedy)
{
	struct refusal *out = ARENA_NEW(a, struct refusal);

	out->reason = (uint16_t)reason;
	out->notify = reasons[reason].notify;
	out->status = reasons[reason].status;
	out->message = arena_str(a, span_of(message->p, message->n));
	if (remedy != NULL)
		out->remedy = arena_str(a, span_of(remedy->p, remedy->n));
	return out;
}
'''

PIECES = {
	'string': '''
static void add_string(struct text *t, const char *s)
{
	text_escape(t, span_str(s == NULL ? "?" : s));
}
''',
	'bytes': '''
static void add_bytes(struct text *t, struct span s)
{
	text_hex(t, span_sub(s, 0, %d));
	if (s.n > %d)
		text_add(t, "... (%%zu octets)", s.n);
}
''' % (SHOWN, SHOWN),
	'addr': '''
static void add_addr(struct text *t, const struct ip_addr *a)
{
	char dst[ADDR_TEXT];

	text_add(t, "%s", a == NULL ? "?" : addr_format(a, dst));
}
''',
	'endpoint': '''
static void add_endpoint(struct text *t, const struct endpoint *e)
{
	char dst[ENDPOINT_TEXT];

	text_add(t, "%s", e == NULL ? "?" : endpoint_format(e, dst));
}
''',
	'subnet': '''
static void add_subnet(struct text *t, const struct subnet *s)
{
	char dst[SUBNET_TEXT];

	text_add(t, "%s", s == NULL ? "?" : subnet_format(s, dst));
}
''',
}


def source(r, reasons):
	c = start('reasons.c', 'every reason to refuse something, and how it is told.',
		['<inttypes.h>', 'base/text.h', 'generated/names.h', 'generated/reasons.h'])
	c('#define ROOM %d\t/* octets for one message, its end included */' % ROOM)
	c.blank()
	with c.block('const struct reason_desc reasons[REASON_COUNT] =', '};'):
		c('[REASON_NONE] = { "none", 0, 0, "", NULL, NULL },')
		for reason in reasons:
			with c.block('[%s] =' % upper('REASON', reason.name), '},'):
				entry(c, r, reason)
	c.blank()
	body = C()
	for reason in reasons:
		function(body, reason)
	fault_function(body, [reason for reason in reasons if is_fault(reason)])
	add_with_helpers(c, body, [('refusal_of', FINISH)] + [('add_' + kind, text) for kind, text in PIECES.items()])
	return finish(c, 'reasons.c')


def entry(c, r, reason):
	c('.name = %s,' % cstr(reason.name.text))
	if reason.notify is not None and r.notify(reason.notify) != '0':
		c('.notify = %s,' % r.notify(reason.notify))
	if reason.status is not None:
		c('.status = %s,' % r.status(reason.status))
	c('.template = %s,' % cstr(reason.template))
	if reason.remedy is not None:
		c('.remedy = %s,' % cstr(reason.remedy))
	if reason.text or reason.doc:
		c('.doc = %s,' % cstr(reason.text or reason.doc))


def function(c, reason):
	c.comment(place(reason))
	with c.function(head(reason)):
		c('char message_[ROOM];' if reason.remedy is None else 'char message_[ROOM], remedy_[ROOM];')
		c('struct text t = text_on(message_, sizeof(message_));')
		if reason.remedy is not None:
			c('struct text u = text_on(remedy_, sizeof(remedy_));')
		c.blank()
		printed = words(c, reason, 't', reason.template)
		if reason.remedy is not None:
			printed |= words(c, reason, 'u', reason.remedy)
		for p in reason.params:
			if p.name.text not in printed:
				c('(void)%s;' % cname(p.name.text))
		c.stmt('return refusal_of(a, %s, &t, %s)' % (upper('REASON', reason.name),
			'&u' if reason.remedy is not None else 'NULL'))


def words(c, reason, text, template):
	"""One call for each stretch of words and numbers and one for each value that is escaped;
	the names of the parameters that were printed."""
	types = {p.name.text: p.type.text for p in reason.params}
	printed = set()
	fmt, args = '', ''

	def flush():
		nonlocal fmt, args
		if fmt:
			c.stmt('text_add(&%s, %s%s)' % (text, fmt, args))
		fmt, args = '', ''

	for i, piece in enumerate(PARAM.split(template)):
		if i % 2 == 0:
			fmt += (' ' if fmt and piece else '') + (cstr(piece.replace('%', '%%')) if piece else '')
			continue
		printed.add(piece)
		kind = types[piece]
		if kind in ('u32', 'u64'):
			# "there are " "%" PRIu32 is written as "there are %" PRIu32
			fmt = (fmt[:-1] if fmt.endswith('"') else fmt + (' "' if fmt else '"')) + '%%" PRI%s' % kind
			args += ', %s' % cname(piece)
		else:
			flush()
			c('add_%s(&%s, %s);' % (kind, text, cname(piece)))
	flush()
	return printed


def fault_function(c, faults):
	with c.function('const struct refusal *refuse_fault(struct arena *a, const struct fault *f)'):
		c('struct refusal *out = ARENA_NEW(a, struct refusal);')
		if faults:
			c('const struct refusal *told = NULL;')
		c.blank()
		if faults:
			with c.block('switch (f->reason)'):
				c.depth -= 1
				for reason in faults:
					c('case %s:' % upper('REASON', reason.name))
					with c.indent():
						c.stmt('told = refuse_%s(a, f->where, f->field, f->offset, f->got, f->want)'
							% reason.name)
						c('break;')
				c.depth += 1
			c.fail_if('told != NULL', '*out = *told')
		c('out->reason = f->reason;')
		c.fail_if('f->notify != 0', 'out->notify = f->notify')
		c.fail_if('out->message == NULL',
			'out->message = f->reason < REASON_COUNT ? reasons[f->reason].template : "refused"')
		c('return out;')
