"""options.h, options.c: the option tables of pluto and whack; their manual sections and shell completion."""

from dataclasses import replace

from .cwriter import cbool, cnum, cstr, finish, start, upper, wrap
from .resolve import STATUSES, spec_of

COMMON = 'common'
CLASSES = 'classes'	# type of a value: names of flags that begin with the option's, with commas between
DEBUG_CLASSES, PRIVATE = 'debug_classes', 'PRIVATE'
NUMBERS = {'u32': 0xffffffff, 'port': 65535}
FILES = ('path',)
HELP_COLUMN = 28
HELP_WIDTH = 79
MAN_WIDTH = 76


class Program:
	"""The forms and options of one program."""

	def __init__(self, name, spec):
		self.name = name
		self.forms = [f for f in spec.forms if f.program.text == name]
		self.options = []	# (form name, option), form by form
		own = with_classes([o for o in spec.options if o.program.text == name])
		for form in [f.name.text for f in self.forms] + [COMMON]:
			self.options.extend((form, o) for o in own if form in [n.text for n in o.forms])
		self.names = []
		for _, option in self.options:
			if option.name.text not in self.names:
				self.names.append(option.name.text)

	def of_form(self, form):
		return [o for f, o in self.options if f == form]

	def id(self, name):
		return upper(self.name, 'option', name.replace('-', '_')) if name else 'OPTION_NO_ID'

	def form_id(self, form):
		return 'OPTION_COMMON' if form == COMMON else upper(self.name, 'form', form)

	def fallback(self):
		free = [f.name.text for f in self.forms if not f.requires]
		return free[0] if free else COMMON

	def separator(self):
		"""The option that chooses the form whose options describe ends."""
		for form in self.forms:
			if any('end' in words(o) for o in self.of_form(form.name.text)):
				return form.requires[0].text
		return None

	def positional(self):
		return 'name' if 'name' in self.names else None


def is_classes(option):
	return option.type is not None and option.type.text == CLASSES


def with_classes(options):
	"""The same, those of the type `classes` with their choices: `debug` has `raw` when there is a flag `debug-raw`."""
	def choices(option):
		begin = option.name.text + '-'
		found = {o.name.text[len(begin):]: o.name for o in options if o.type is None and o.name.text.startswith(begin)}
		return tuple(replace(name, text=text) for text, name in found.items())

	return [replace(o, choices=choices(o)) if is_classes(o) else o for o in options]


def words(option):
	return [w.text for w in option.words]


def programs(spec):
	found = []
	for form in spec.forms:
		if form.program.text not in found:
			found.append(form.program.text)
	return [Program(name, spec) for name in found]


def outputs(model):
	spec = spec_of(model)
	ps = programs(spec)
	out = {'options.h': header(ps), 'options.c': source(ps, debug_masks(spec))}
	for p in ps:
		out['%s-options.man' % p.name] = manual(p)
		out['%s-synopsis.man' % p.name] = synopsis(p)
		out['%s-completion.bash' % p.name] = completion(p)
	for registry in spec.registries:
		if registry.name.text == STATUSES:
			out['whack-status.man'] = statuses(registry)
	return out


def debug_masks(spec):
	"""Option name -> mask of debug_classes; `all` never means PRIVATE."""
	masks = {'debug-none': 0, 'debug-all': 0}
	for bits in spec.bits:
		if bits.name.text != DEBUG_CLASSES:
			continue
		for entry in bits.entries:
			masks['debug-' + entry.symbol.text.lower().replace('_', '-')] = 1 << entry.bit
			if entry.symbol.text != PRIVATE:
				masks['debug-all'] |= 1 << entry.bit
	return masks


# ---- C

def header(ps):
	c = start('options.h', 'the options of each program.', ['base/options.h'], 'spec/options.spec')
	for p in ps:
		with c.block('enum %s_option' % p.name, '};'):
			for name in p.names:
				c(p.id(name) + ',')
		c.blank()
		with c.block('enum %s_form' % p.name, '};'):
			for form in p.forms:
				c('%s,\t/* %s */' % (p.form_id(form.name.text), form.text))
		c.blank()
		for form, option in p.options:
			for i, choice in enumerate(() if is_classes(option) else option.choices):
				c('#define %s %d' % (upper(p.id(option.name.text), choice), i))
		c.blank()
		c('extern const struct program_desc %s_program;' % p.name)
		c.blank()
	return finish(c, 'options.h')


def source(ps, masks):
	c = start('options.c', 'the options of each program.', ['generated/options.h'], 'spec/options.spec')
	for p in ps:
		choices(c, p)
		c('static const struct option_desc %s_options[] = {' % p.name)
		with c.indent():
			for form, option in p.options:
				describe(c, p, form, option, masks.get(option.name.text))
		c('};')
		c.blank()
		forms(c, p)
		with c.block('const struct program_desc %s_program =' % p.name, '};'):
			for key, value in (('name', cstr(p.name)), ('options', '%s_options' % p.name),
					('n_options', cnum(len(p.options))), ('forms', '%s_forms' % p.name),
					('n_forms', cnum(len(p.forms))), ('fallback', p.form_id(p.fallback())),
					('separator', p.id(p.separator())), ('positional', p.id(p.positional())),
					('options_from', p.id('optionsfrom' if 'optionsfrom' in p.names else None))):
				c('.%s = %s,' % (key, value))
			usage(c, 'usage', help_lines(p.of_form(COMMON)))
		c.blank()
	return finish(c, 'options.c')


def choices_name(p, form, option):
	return '%s_%s_%s_choices' % (p.name, form, option.name.text.replace('-', '_'))


def choices(c, p):
	for form, option in p.options:
		if option.choices:
			c.stmt('static const char *const %s[] = { %s, NULL }' % (choices_name(p, form, option),
				', '.join(cstr(x.text) for x in option.choices)))
	c.blank()


def describe(c, p, form, option, mask):
	kind = option.type.text if option.type else 'flag'
	flags = words(option)
	parts = ['.id = ' + p.id(option.name.text), '.form = ' + p.form_id(form),
		'.type = OPTION_' + kind.upper(), '.name = ' + cstr(option.name.text)]
	if option.aliases:
		parts.append('.alias = ' + cstr(option.aliases[0].text))
	if option.metavar:
		parts.append('.metavar = ' + cstr(option.metavar))
	if option.choices:
		parts.append('.choices = ' + choices_name(p, form, option))
	if option.default is not None:
		parts.append('.text = ' + cstr(str(option.default)))
	if mask is not None:
		parts += ['.debug = true', '.number = ' + cnum(mask)]
	number = default_number(option, kind)
	if number:
		parts.append('.number = ' + cnum(number))
	if kind in NUMBERS:
		parts.append('.min = %s' % cnum(option.min or 0))
		parts.append('.max = %s' % cnum(NUMBERS[kind] if option.max is None else option.max))
	if option.unit:
		parts.append('.unit = ' + cstr(option.unit))
	parts += ['.%s = true' % w for w in ('repeat', 'end', 'required') if w in flags]
	with c.block('', '},'):
		line = ''
		for part in parts:
			if line and len(line) + len(part) > 80:
				c(line + ',')
				line = ''
			line += (', ' if line else '') + part
		c(line + ',')
		c('.help = %s,' % cstr(option.text))


def default_number(option, kind):
	if option.choices:
		names = [x.text for x in option.choices]
		return names.index(option.default) if option.default in names else 0
	return option.default if kind in NUMBERS and isinstance(option.default, int) else 0


def forms(c, p):
	for form in p.forms:
		c.stmt('static const uint16_t %s_%s_selectors[] = { %s }' % (p.name, form.name,
			', '.join([p.id(r.text) for r in form.requires] + ['OPTION_NO_ID'])))
	c.blank()
	with c.block('static const struct form_desc %s_forms[] =' % p.name, '};'):
		for form in p.forms:
			with c.block('', '},'):
				c('.name = %s,' % cstr(form.name.text.replace('_', '-')))
				c('.help = %s,' % cstr(form.text))
				c('.selectors = %s_%s_selectors,' % (p.name, form.name))
				usage(c, 'usage', help_lines(p.of_form(form.name.text)))
	c.blank()


def usage(c, member, lines):
	c('.%s =' % member)
	with c.indent():
		if not lines:
			c('"",')
		for i, line in enumerate(lines):
			c(cstr(line + '\n') + (',' if i == len(lines) - 1 else ''))


def remarks(option):
	"""What follows the help text in brackets."""
	out = []
	if 'required' in words(option):
		out.append('needed')
	if 'end' in words(option):
		out.append('each end')
	if 'repeat' in words(option):
		out.append('may be repeated')
	if option.choices:
		out.append(', '.join(x.text for x in option.choices))
	if option.type and option.type.text == 'u32' and option.max is not None:
		out.append('%d to %d%s' % (option.min or 0, option.max, ' ' + option.unit if option.unit else ''))
	if option.default is not None:
		out.append('default %s' % option.default)
	return '; '.join(out)


def sentence(option):
	more = remarks(option)
	return option.text + (' (%s)' % more if more else '')


def help_lines(options):
	out = []
	for o in options:
		head = '  --' + o.name.text + (' ' + o.metavar if o.metavar else '')
		text = wrap(sentence(o), HELP_WIDTH - HELP_COLUMN)
		if len(head) + 2 <= HELP_COLUMN and text:
			out.append(head.ljust(HELP_COLUMN) + text.pop(0))
		else:
			out.append(head)
		out.extend(' ' * HELP_COLUMN + line for line in text)
	return out


# ---- manual (mdoc)

def mdoc(text):
	"""Text that mdoc prints as it stands; a line begins with a letter."""
	text = text.replace('\\', '\\e').replace('--', '\\-\\-')
	return '\\&' + text if text[:1] in ('.', "'") else text


def fl(name):
	return 'Fl \\-' + name.replace('-', '\\-')


def manual(p):
	out = ['.\\" %s-options.man -- generated by codegen/specc from spec/options.spec; change that.' % p.name]
	for form in p.forms + [None]:
		name = form.name.text if form else COMMON
		options = p.of_form(name)
		if not options:
			continue
		title = form.text if form else 'options of every form'
		out.append('.Ss ' + mdoc(title[0].upper() + title[1:]))
		out.append('.Bl -tag -width Ds')
		for o in options:
			out.append('.It ' + fl(o.name.text) + (' Ar ' + o.metavar.lower() if o.metavar else ''))
			text = sentence(o)
			out.extend(mdoc(line) for line in wrap(text[0].upper() + text[1:] + '.', MAN_WIDTH))
		out.append('.El')
	return '\n'.join(out) + '\n'


def statuses(registry):
	"""The numbers before whack's lines, as a list."""
	out = ['.\\" whack-status.man -- generated by codegen/specc from %s; change that.' % registry.loc.file,
		'.Bl -tag -width 200\\(en255 -compact']
	for e in registry.entries:
		if e.kind != 'named':
			continue
		number = '%d' % e.lo if e.lo == e.hi else '%d\\(en' % e.lo if e.hi > 255 else '%d\\(en%d' % (e.lo, e.hi)
		out.append('.It ' + number)
		text = e.text or e.symbol.text
		out.extend(mdoc(line) for line in wrap(text[0].upper() + text[1:] + '.', MAN_WIDTH))
	out.append('.El')
	return '\n'.join(out) + '\n'


def synopsis(p):
	out = ['.\\" %s-synopsis.man -- generated by codegen/specc from spec/options.spec; change that.' % p.name]
	for form in p.forms:
		out.append('.Nm %s' % p.name)
		options = p.of_form(form.name.text)
		chosen = [r.text for r in form.requires]
		ends = [o for o in options if 'end' in words(o)]
		if not ends and chosen:
			alternatives = [fl(r) + arg(p, form, r) for r in chosen]
			out.extend('.' + a + ' |' for a in alternatives[:-1])
			out.append('.' + alternatives[-1])
		for o in options:
			if 'required' in words(o) and o.name.text not in chosen:
				out.append('.' + item(o))
		if ends:
			out.extend('.Op ' + item(o) for o in ends)
			out.append('.' + fl(p.separator()))
			out.extend('.Op ' + item(o) for o in ends)
		for o in options:
			if o.name.text in chosen or 'required' in words(o) or 'end' in words(o):
				continue
			out.append('.Op ' + item(o))
	return '\n'.join(out) + '\n'


def arg(p, form, name):
	for o in p.of_form(form.name.text):
		if o.name.text == name and o.metavar:
			return ' Ar ' + o.metavar.lower()
	return ''


def item(option):
	return fl(option.name.text) + (' Ar ' + option.metavar.lower() if option.metavar else '')


# ---- completion

def verbs(p, wanted=None):
	"""Flags that choose a form, and their other names: the first word of a command, without dashes."""
	chosen = {r.text for form in p.forms for r in form.requires}
	found = []
	for _, o in p.options:
		if o.name.text in chosen and not o.metavar and (wanted is None or o.name.text in wanted):
			found += [n.text for n in (o.name,) + o.aliases if n.text not in found]
	return found


def completion(p):
	f = '_' + p.name
	out = ['# %s-completion.bash -- generated by codegen/specc from spec/options.spec; change that.' % p.name,
		'%s()' % f, '{', '\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev="" word form="" options',
		'\t(( COMP_CWORD > 0 )) && prev=${COMP_WORDS[COMP_CWORD - 1]}', '\tcase $prev in']
	by_value = {}
	for _, o in p.options:
		if not o.metavar:
			continue
		if is_classes(o):
			reply = 'mapfile -t COMPREPLY < <(compgen -P "${cur%%"${cur##*,}"}" -W "%s" -- "${cur##*,}")' % (
				' '.join(x.text for x in o.choices))
		elif o.choices:
			reply = 'mapfile -t COMPREPLY < <(compgen -W "%s" -- "$cur")' % ' '.join(x.text for x in o.choices)
		elif o.type.text in FILES:
			reply = 'mapfile -t COMPREPLY < <(compgen -f -- "$cur")'
		else:
			reply = 'COMPREPLY=()'
		names = by_value.setdefault(reply, [])
		if '--' + o.name.text not in names:
			names.append('--' + o.name.text)
	for reply, names in by_value.items():
		out += ['\t%s)' % '|'.join(names), '\t\t%s' % reply, '\t\treturn ;;']
	out += ['\t--help|help)', '\t\tmapfile -t COMPREPLY < <(compgen -W "%s" -- "$cur")' % ' '.join(
		form.name.text.replace('_', '-') for form in p.forms), '\t\treturn ;;']
	out += ['\tesac', '\tif [[ $COMP_CWORD == 1 && $cur != -* ]]; then',
		'\t\tmapfile -t COMPREPLY < <(compgen -W "%s" -- "$cur")' % ' '.join(verbs(p)), '\t\treturn', '\tfi']
	out += ['\tfor word in "${COMP_WORDS[@]:1}"; do', '\t\tcase $word in']
	seen = set()
	for form in p.forms:
		names = [r.text for r in form.requires if r.text not in seen]
		seen.update(names)
		if names:
			out.append('\t\t%s) form=${form:-%s} ;;' % ('|'.join(['--' + n for n in names] + verbs(p, names)),
				form.name))
	out += ['\t\tesac', '\tdone', '\tcase $form in']
	for form in p.forms:
		if form.requires:
			out.append('\t%s) options="%s" ;;' % (form.name,
				' '.join('--' + o.name.text for o in p.of_form(form.name.text))))
	out.append('\t*) options="%s" ;;' % ' '.join('--' + n for n in p.names))
	out += ['\tesac',
		'\toptions="$options %s"' % ' '.join('--' + o.name.text for o in p.of_form(COMMON)),
		'\tmapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")', '}', 'complete -F %s %s' % (f, p.name)]
	return '\n'.join(out) + '\n'
