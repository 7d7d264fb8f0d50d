"""payloads_print.c: payloads as text, one line for each field, for the log and the tests."""

from .attributes import lookup_call
from .cwriter import C, add_with_helpers, finish, start
from .layout import Layout
from .payload_parse import payload_title
from .resolve import cite, struct_type

SHOWN = 32		# octets of a field that are printed
STEP = 2		# columns that a field, or a payload in a payload, is indented


def print_head(layout):
	return 'void print_%s(struct text *t, const %s *p)' % (layout.name, struct_type(layout.struct))


def printer_head(layout):
	return 'static void %s_lines(struct text *t, const %s *p, int indent)' % (
		layout.name, struct_type(layout.struct))


BYTES = '''
/* One line: name and octets in hexadecimal. */
static void bytes_line(struct text *t, int indent, const char *name, struct span s)
{
	text_add(t, "%%*s%%s: ", indent, "", name);
	text_hex(t, span_sub(s, 0, %d));
	if (s.n > %d)
		text_add(t, "...");
	text_add(t, " (%%zu octets)\\n", s.n);
}

'''

NUMBER = '''
/* One line: name and number, by its name in the registry when there is one. */
static void number_line(struct text *t, int indent, const char *name, const struct registry *r,
			uint64_t value)
{
	char dst[REGISTRY_TEXT];

	if (r != NULL)
		text_add(t, "%*s%s: %s\\n", indent, "", name, registry_name(r, (uint32_t)value, dst));
	else
		text_add(t, "%*s%s: %" PRIu64 "\\n", indent, "", name, value);
}
'''


LAX = '''
/* What a parser only observed. */
static void lax_line(struct text *t, int indent)
{
	text_add(t, "%*slax: a reserved octet is not zero, or a value is not one of those known\\n",
		 indent, "");
}
'''


def source(r, layouts):
	c = start('payloads_print.c', 'the payloads as text.', ['<inttypes.h>', 'generated/payloads.h'])
	body = C()
	for layout in layouts:
		Printer(body, r, layout).write()
	tops = [l for l in layouts if l.struct.kind == 'payload' and not l.struct.clauses.nested]
	if r.payload_registry() and tops:
		with body.function('void print_payload(struct text *t, const struct payload *p)'):
			with body.block('switch (p->type)'):
				body.depth -= 1
				for l in tops:
					body('case %s:' % r.payload_type(l.name))
					body('\tprint_%s(t, &p->u.%s);' % (l.name, l.name))
					body('\tbreak;')
				body('default:')
				body('\tnumber_line(t, 0, "payload", &registry_%s, p->type);' % r.payload_registry().name)
				body('\tbreak;')
				body.depth += 1
	add_with_helpers(c, body, [('bytes_line', BYTES % (SHOWN, SHOWN)), ('number_line', NUMBER), ('lax_line', LAX)])
	return finish(c, 'payloads_print.c')


class Printer:
	def __init__(self, c, r, layout):
		self.c, self.r, self.layout = c, r, layout

	def write(self):
		c, layout = self.c, self.layout
		entry = self.r.payload_entry(layout.struct)
		title = layout.name + (', ' + entry.text if entry is not None and entry.text else '')
		c.comment('%s%s' % (payload_title(self.r, layout), cite(layout.struct)))
		with c.function(printer_head(layout)):
			nested = [s for s in layout.slots if s.kind == 'nested']
			for s in nested:
				c('struct span rest_%s = p->%s;' % (s.name, s.c))
				c('struct payload_%s one_%s;' % (s.target.name, s.name))
			if nested:
				c.blank()
			c.stmt('text_add(t, "%%*s%s: %%zu octets\\n", indent, "", p->whole.n)' % title)
			c('indent += %d;' % STEP)
			for s in layout.slots:
				if s.own or (s.f.chain and s.kind == 'int'):
					getattr(self, s.kind)(s)
			if any(s.f.lax for s in layout.slots):
				c.fail_if('p->lax', 'lax_line(t, indent)')
		with c.function(print_head(layout)):
			c('%s_lines(t, p, 0);' % layout.name)

	def int(self, s):
		c = self.c
		if s.constraint == 'size_self':
			return
		if s.registry is not None and s.registry.name.text in self.r.bits:
			c('text_add(t, "%%*s%s: ", indent, "");' % s.name)
			c('%s_text(t, p->%s);' % (s.registry.name, s.c))
			c('text_add(t, "\\n");')
			return
		registry = 'NULL'
		if s.registry is not None:
			registry = '&registry_%s' % s.registry.name
		elif s.switch:
			registry = 'registry_%s(p->%s)' % s.switch
		c.stmt('number_line(t, indent, "%s", %s, p->%s)' % (s.name, registry, s.c))

	def zero(self, s):
		"""What is reserved is told only when it is not zero."""

	def bytes(self, s):
		self.c.stmt('bytes_line(t, indent, "%s", p->%s)' % (s.name, s.c))

	def slices(self, s):
		c = self.c
		size = 'p->' + self.layout.slot(s.sizer).c if s.sizer else str(s.f.type.size.size)
		c('for (size_t i = 0; i + %s <= p->%s.n; i += %s)' % (size, s.c, size))
		with c.indent():
			c.stmt('bytes_line(t, indent, "%s", span_sub(p->%s, i, %s))' % (s.name, s.c, size))

	def nested(self, s):
		c, inner = self.c, Layout(self.r, s.target)
		args = ', p->%s' % s.arg if inner.params else ''
		c('while (next_%s(&rest_%s%s, &one_%s))' % (inner.name, s.name, args, s.name))
		c('\t%s_lines(t, &one_%s, indent);' % (inner.name, s.name))

	def attributes(self, s):
		self.c.stmt('attributes_print(t, %s, p->%s, indent)' % (lookup_call(self.r, s, 'p->' + s.arg), s.c))
