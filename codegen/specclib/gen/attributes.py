"""The tables of data attributes (part of payloads.h and payloads_parse.c)."""

from .cwriter import cbool, cnum, cstr, upper
from .names import enumeration
from .resolve import INT_BITS, cite

ANY = 65535		# octets: as many as the length can say


def enum_name(table):
	return '%s_attribute' % table.name


def declare(c, r):
	"""The enumerations, and the look-ups by protocol."""
	for table in r.spec.attributes:
		c.comment(table.doc, 'Data attributes of %s: %s' % (
			', '.join(p.text for p in table.protocols) or table.name, cite(table)))
		with c.block('enum %s' % enum_name(table), '};'):
			for e in table.entries:
				c('%s = %d,' % (upper(enum_name(table), e.name), e.number.value))
		c.blank()
	for table in alone(r):
		c.comment('The attributes of %s, whatever the protocol.' % table.name)
		c('extern const struct attribute_table %s;' % table_name(table))
		c.blank()
	c.comment('The attributes that a protocol knows; NULL = none.')
	c('const struct attribute_table *attribute_table(uint32_t protocol);')
	c.blank()
	c.comment('What a protocol says of one type of attribute; NULL = not known.')
	c('const struct attribute_desc *attribute_desc(uint32_t protocol, uint16_t type);')
	c.blank()


def alone(r):
	"""The tables that belong to no protocol."""
	return [t for t in r.spec.attributes if not t.protocols]


def table_name(table):
	return 'attributes_of_%s' % table.name


def lookup_call(r, slot, selector):
	"""The table of a field: its own, or that of the protocol which `selector`, a C expression, says."""
	own = next((t for t in alone(r) if t.name.text == slot.arg), None)
	return '&' + table_name(own) if own is not None else 'attribute_table(%s)' % selector


def registry_of(r, t):
	name = t.name.text if t.name else None
	return r.registries.get(name) or r.bits.get(name)


def octets(r, entry):
	"""(is it a number, least octets, greatest octets) of a value as TLV."""
	t = entry.type
	if t.kind == 'int':
		n = INT_BITS[t.name.text] // 8
		return True, n, n
	kind = registry_of(r, t)
	if kind is not None:
		n = max(INT_BITS[kind.int_type.text] // 8, 1)
		return True, n, n
	if t.dim.kind == 'fixed':
		return t.kind == 'uint', t.dim.size, t.dim.size
	return t.kind == 'uint', t.dim.min, ANY if t.dim.max is None else t.dim.max


def define(c, r):
	"""The tables themselves, ascending by type."""
	for table in r.spec.attributes:
		number = {e.name.text: e.number.value for e in table.entries}
		repeats = {e.after.text for e in table.entries if e.after} \
			| {e.name.text for e in table.entries if e.after}
		c.comment('%s: %s' % (table.name, cite(table)))
		with c.block('static const struct attribute_desc %s_descs[] =' % table.name, '};'):
			c.table([cells(r, table, e, number, repeats)
				for e in sorted(table.entries, key=lambda e: e.number.value)])
		linkage = 'static const struct attribute_table %s_table =' % table.name if table.protocols \
			else 'const struct attribute_table %s =' % table_name(table)
		with c.block(linkage, '};'):
			c('.name = %s,' % cstr(table.name.text))
			c('.n = %d,' % len(table.entries))
			c('.entries = %s_descs,' % table.name)
		c.blank()
	selector = r.selector(None)
	with c.function('const struct attribute_table *attribute_table(uint32_t protocol)'):
		with c.block('switch (protocol)'):
			c.depth -= 1
			for table in r.spec.attributes:
				if not table.protocols:
					continue
				for p in table.protocols:
					c('case %s:' % r.selected(selector, p))
				c('\treturn &%s_table;' % table.name)
			c('default:')
			c('\treturn NULL;')
			c.depth += 1
	with c.function('const struct attribute_desc *attribute_desc(uint32_t protocol, uint16_t type)'):
		c('return attribute_find(attribute_table(protocol), type);')


def cells(r, table, e, number, repeats):
	integer, least, most = octets(r, e)
	kind = registry_of(r, e.type) if e.type.name.text in r.registries else None
	prefix = table.clauses.prefix.text if table.clauses.prefix else ''
	return [cnum(e.number.value), cstr(e.name.text), cstr(prefix + e.name.text), cbool(e.basic),
		cbool(integer), cnum(least), cnum(most),
		cnum(number[e.after.text]) if e.after else '0', cbool(e.name.text in repeats), cbool(e.repeat),
		cnum(e.step.value if e.step else 1),
		'&registry_%s' % kind.name if kind else 'NULL']


CHECK = '''
/* Data attributes: RFC 2408 3.3.  What base/attribute.c finds wrong, as a fault. */
static bool check_attributes(const struct attribute_table *table, struct span list, uint32_t offset,
			     const char *where, uint16_t notify, struct fault *f)
{
	static const uint16_t reason_of[ATTRIBUTE_STATUS_COUNT] = {
		[ATTRIBUTE_CUT] = REASON_FIELD_TRUNCATED,
		[ATTRIBUTE_FORM] = REASON_ATTRIBUTE_FORM,
		[ATTRIBUTE_TWICE] = REASON_ATTRIBUTE_TWICE,
		[ATTRIBUTE_ORDER] = REASON_RULE_BROKEN,
		[ATTRIBUTE_VALUE] = REASON_FIELD_UNKNOWN,
		[ATTRIBUTE_MANY] = REASON_LIMIT_EXCEEDED,
	};
	struct attribute_trouble bad;
	enum attribute_status status = attributes_check(table, list, %s, &bad);

	if (status == ATTRIBUTE_OK)
		return true;
	return fault_at(f, reason_of[status], notify, where, bad.name, offset + bad.offset,
			bad.got, bad.want);
}
'''
