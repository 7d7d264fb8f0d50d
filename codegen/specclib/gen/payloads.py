"""payloads.h and the three files of code behind it: parsers, emitters and printers."""

from . import attributes, payload_emit, payload_parse, payload_print
from .cwriter import cname, finish, start, upper
from .layout import Layout
from .resolve import Resolver, cite, struct_type


def outputs(model):
	r = Resolver(model)
	layouts = ordered(r)
	return {
		'payloads.h': header(r, layouts),
		'payloads_parse.c': payload_parse.source(r, layouts),
		'payloads_emit.c': payload_emit.source(r, layouts),
		'payloads_print.c': payload_print.source(r, layouts),
	}


def ordered(r):
	"""The layouts of all structs that are not a base; what is nested stands before what holds it."""
	out, seen = [], set()

	def add(struct):
		if struct.name.text in seen or struct.name.text in r.bases:
			return
		seen.add(struct.name.text)
		layout = Layout(r, struct)
		for slot in layout.slots:
			if slot.target is not None:
				add(slot.target)
		out.append(layout)

	for struct in r.spec.structs:
		add(struct)
	return out


def header(r, layouts):
	c = start('payloads.h', 'the payloads: as read, as written, as printed.',
		['base/attribute.h', 'base/tables.h', 'base/text.h', 'generated/limits.h', 'generated/names.h'])
	if r.spec.attributes:
		c('/* ---- data attributes --------------------------------------------------- */')
		c.blank()
		attributes.declare(c, r)
	c('/* ---- as read: views into the datagram, checked ------------------------- */')
	c.blank()
	c.comment('parse_X: `in` begins at the payload and may be longer; out->whole is what was taken. All of it is '
		'checked, down to the last attribute; false fills f. Nothing is allocated: the spans point into `in`. '
		'`offset` is where `in` begins in the message.')
	c.blank()
	c.comment('next_X: take the next one off a list that was checked; false at the end. Its offset is 0: where it '
		'stands is told by its pointers.')
	c.blank()
	for layout in layouts:
		read_struct(c, r, layout)
		c.fold(payload_parse.parse_head(layout), ';')
		if layout.struct.clauses.nested:
			c.fold(payload_parse.next_head(layout), ';')
		c.blank()
	message_types(c, r, layouts)
	c('/* ---- as written: only what a caller may choose -------------------------- */')
	c.blank()
	c.comment('emit_X: lengths, counts, chains, reserved octets and constants are computed. A part that is '
		'longer or shorter than the payload allows sets w->overflow.')
	c.blank()
	for layout in layouts:
		payload_emit.declare(c, r, layout)
	c('/* ---- as printed --------------------------------------------------------- */')
	c.blank()
	c.comment('One line for each field. Octets are printed in hexadecimal, at most %d of them.'
		% payload_print.SHOWN)
	for layout in layouts:
		c('%s;' % payload_print.print_head(layout))
	if r.payload_registry() and top(layouts):
		c('void print_payload(struct text *t, const struct payload *p);')
	return finish(c, 'payloads.h')


def top(layouts):
	"""The payloads that stand in a message by themselves."""
	return [l for l in layouts if l.struct.kind == 'payload' and not l.struct.clauses.nested]


def read_struct(c, r, layout):
	title = payload_parse.payload_title(r, layout)
	c.comment('%s%s' % (title, cite(layout.struct)))
	with c.block(struct_type(layout.struct), '};'):
		c('struct span whole;')
		if layout.base_octets:
			c('struct span body;\t/* without the generic header */')
		c('uint32_t offset;\t/* in the message */')
		lax = False
		# np right behind the offset in every payload: the common part of struct payload.
		chain = layout.chain
		if chain is not None and not chain.own:
			member(c, r, layout, chain)
		for p in layout.params:
			c('uint32_t %s;\t/* of what holds it */' % cname(p))
		for slot in layout.slots:
			if slot is not chain or chain.own:
				member(c, r, layout, slot)
			lax = lax or slot.f.lax
		if lax:
			c('bool lax;\t\t/* a field that is `lax` is not as it should be */')


def member(c, r, layout, slot):
	if slot.kind == 'int':
		if slot.constraint != 'size_self':
			c('%s %s;%s' % (slot.ctype, slot.c, remark(slot)))
	elif slot.kind != 'zero':
		c('struct span %s;%s' % (slot.c, remark(slot)))
	if slot.kind in ('nested', 'slices'):
		counter = layout.counted_by(slot)
		if counter is None or counter.name != layout.count_member(slot):
			c('uint16_t %s;' % layout.count_member(slot))


def remark(slot):
	if slot.kind == 'attributes':
		return '\t/* next_attribute() */'
	if slot.kind == 'nested':
		return '\t/* next_%s() */' % slot.target.name
	if slot.kind == 'slices':
		return '\t/* each of %s octets */' % (slot.sizer or slot.f.type.size.size)
	if slot.registry is not None:
		return '\t/* enum %s */' % slot.registry.name
	if slot.switch is not None:
		return '\t/* registry_%s(%s) */' % slot.switch
	return '\t/* %s */' % slot.f.doc.replace('*/', '* /') if slot.f.doc else ''


def offsets(c, layout):
	with c.block('enum %s_offset' % layout.name, '};'):
		for slot in layout.slots:
			if slot.bit is not None:
				c('%s = %d,' % (upper(layout.name, 'OFFSET', slot.name), slot.bit // 8))
		if layout.fixed_size is not None:
			c('%s = %d' % (upper(layout.name, 'SIZE'), layout.fixed_size))
	c.blank()


def message_types(c, r, layouts):
	for layout in layouts:
		if layout.struct.kind == 'struct':
			c.comment('Where the fields of %s stand, for changing them in a message that is written.'
				% layout.name)
			offsets(c, layout)
	for base, octets in sorted({(l.struct.base.text, l.base_octets) for l in layouts if l.struct.base}):
		c.comment('Octets of %s, with which payloads begin.' % base)
		c('enum { %s = %d };' % (upper(base, 'SIZE'), octets))
		c.blank()
	if not (r.payload_registry() and top(layouts)):
		return
	c('/* ---- messages ---------------------------------------------------------- */')
	c.blank()
	c.comment('What all payloads begin with.')
	with c.block('struct payload_common', '};'):
		c('struct span whole;')
		c('struct span body;')
		c('uint32_t offset;')
		c('uint8_t np;')
	c.blank()
	with c.block('struct payload', '};'):
		c('uint8_t type;\t\t/* enum %s */' % r.payload_registry().name)
		c('uint8_t slot;\t\t/* of the message it is matched with; SLOT_NONE until then */')
		with c.block('union', '} u;'):
			c('struct payload_common common;')
			for layout in top(layouts):
				c('%s %s;' % (struct_type(layout.struct), layout.name))
	c.blank()
	with c.function('static inline struct span payload_whole(const struct payload *p)'):
		c('return p->u.common.whole;')
	with c.function('static inline struct span payload_body(const struct payload *p)'):
		c('return p->u.common.body;')
	c.comment('The payload of that type; an alias of a type counts as the type. *np is what it says of the '
		'next. A type that cannot stand in a message is a fault.')
	c.fold('bool parse_payload(uint8_t type, struct span in, uint32_t offset, struct payload *out,'
		' uint8_t *np, struct fault *f)', ';')
	c.blank()
	head = r.message_header()
	if head is None or not r.limit('payloads_per_message'):
		return
	c.comment('A whole message.')
	with c.block('struct message', '};'):
		c('struct %s header;' % head.name)
		c('struct span bytes;\t/* all of it, decrypted, with the header */')
		c('uint16_t n;')
		c('struct payload payloads[LIMIT_PAYLOADS_PER_MESSAGE];')
		c('uint32_t padding;\t/* octets behind the last payload */')
	c.blank()
	c.comment('Parse the payloads of m, whose header is parsed; bytes is the message with its header. Octets '
		'behind the last payload are padding when the message was decrypted, else a fault.')
	c('bool parse_chain(struct message *m, struct span bytes, bool decrypted, struct fault *f);')
	c.blank()
