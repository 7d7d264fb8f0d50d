"""The syntax tree: frozen records, each with the place (loc) it was read from."""

from dataclasses import dataclass, field
from typing import Any, Optional, Tuple


@dataclass(frozen=True)
class Loc:
	file: str
	line: int
	col: int
	length: int

	def __str__(self):
		return "%s:%d" % (self.file, self.line)


@dataclass(frozen=True)
class Name:
	text: str
	loc: Loc

	def __str__(self):
		return self.text


@dataclass(frozen=True)
class Num:
	value: int
	loc: Loc


@dataclass(frozen=True)
class Rfc:
	number: int
	sections: Tuple[str, ...]
	loc: Loc

	def __str__(self):
		return " ".join(("RFC %d" % self.number,) + self.sections)


@dataclass(frozen=True)
class Clauses:
	rfc: Tuple[Rfc, ...] = ()
	ref: Tuple[str, ...] = ()
	else_: Optional[Name] = None
	prefix: Optional[Name] = None
	open: bool = False
	closed: bool = False
	nested: bool = False
	secret: bool = False		# of a payload: should not travel in clear
	allow: Tuple[Name, ...] = ()

	def citation(self):
		"""'RFC 2408 3.1, [MS-IKEE] 2.2' or ''."""
		return ", ".join([str(r) for r in self.rfc] + list(self.ref))


@dataclass(frozen=True)
class Decl:
	name: Name
	clauses: Clauses
	doc: str		# text of the ## lines before it, '' = none
	loc: Loc
	last: int		# last line of the declaration


# ---- numbers and layouts

@dataclass(frozen=True)
class Entry:
	lo: int
	hi: int
	kind: str		# named reserved private
	symbol: Optional[Name]
	logged: Optional[str]	# of "as"
	text: str
	is_: Optional[Name]
	words: Tuple[str, ...]
	aliases: Tuple[Num, ...]
	clauses: Clauses
	doc: str
	loc: Loc


@dataclass(frozen=True)
class Registry(Decl):
	int_type: Name
	switch: Optional[Name]		# for SWITCH[SYMBOL, ...]
	switch_values: Tuple[Name, ...]
	entries: Tuple[Entry, ...]


@dataclass(frozen=True)
class BitEntry:
	bit: int
	symbol: Name
	text: str
	clauses: Clauses
	doc: str
	loc: Loc


@dataclass(frozen=True)
class Bits(Decl):
	int_type: Name
	entries: Tuple[BitEntry, ...]


@dataclass(frozen=True)
class Dim:
	kind: str		# fixed field range empty
	size: int		# fixed
	field: Optional[Name]	# field
	min: int		# range
	max: Optional[int]	# range; None = no bound but what is left
	loc: Loc


@dataclass(frozen=True)
class Type:
	kind: str		# int name switch bytes zero uint attribute slices struct
	name: Optional[Name]	# int: u4..u64; name: registry, bits or struct; switch: its id; struct
	arg: Optional[Name]	# switch[arg], attribute[arg], struct(arg)
	dim: Optional[Dim]
	size: Optional[Dim]	# slices: size of each
	loc: Loc


@dataclass(frozen=True)
class Constraint:
	kind: str		# const bits size_self size_message count range oneof nonzero
	values: Tuple[Any, ...]	# Num or Name: const 1, bits n, oneof n, range 2; count: the field
	loc: Loc


@dataclass(frozen=True)
class Field:
	name: Name
	type: Type
	constraint: Optional[Constraint]
	lax: bool
	chain: bool
	else_: Optional[Name]
	doc: str
	loc: Loc


@dataclass(frozen=True)
class Require:
	cond: Any		# Expr
	then: Any		# Expr
	else_: Optional[Name]
	doc: str
	loc: Loc


@dataclass(frozen=True)
class Param:
	name: Name
	type: Name


@dataclass(frozen=True)
class Struct(Decl):
	kind: str		# struct payload
	params: Tuple[Param, ...]
	base: Optional[Name]
	fields: Tuple[Field, ...]
	requires: Tuple[Require, ...]


@dataclass(frozen=True)
class AttributeEntry:
	number: Num
	name: Name
	basic: bool
	type: Type
	tlv: bool
	repeat: bool
	step: Optional[Num]
	after: Optional[Name]
	text: str
	clauses: Clauses
	doc: str
	loc: Loc


@dataclass(frozen=True)
class Attributes(Decl):
	protocols: Tuple[Name, ...]
	entries: Tuple[AttributeEntry, ...]


@dataclass(frozen=True)
class Algorithm(Decl):
	kind: Name
	properties: Tuple[Tuple[Name, Tuple[Any, ...]], ...]	# name, Num/Name values


# ---- conditions

@dataclass(frozen=True)
class Literal:
	value: int
	loc: Loc


@dataclass(frozen=True)
class Path:
	"""A symbol, a field, or ROLE.field.field."""
	names: Tuple[Name, ...]
	loc: Loc

	def __str__(self):
		return ".".join(n.text for n in self.names)


@dataclass(frozen=True)
class Call:
	fn: Name		# len count has each
	args: Tuple[Any, ...]
	loc: Loc


@dataclass(frozen=True)
class TupleExpr:
	items: Tuple[Any, ...]
	loc: Loc


@dataclass(frozen=True)
class Compare:
	op: str			# == != < <= > >=
	left: Any
	right: Any
	loc: Loc


@dataclass(frozen=True)
class In:
	left: Any
	choices: Tuple[Any, ...]
	loc: Loc


@dataclass(frozen=True)
class And:
	items: Tuple[Any, ...]
	loc: Loc


# ---- exchanges

@dataclass(frozen=True)
class Role:
	name: Name
	payload: Name
	where: Any
	clauses: Clauses
	doc: str
	loc: Loc


@dataclass(frozen=True)
class KeyInput:
	name: Name
	source: Name
	text: str
	secret: bool
	doc: str
	loc: Loc


@dataclass(frozen=True)
class KeyFormula:
	name: Name
	variants: Tuple[Name, ...]
	retain: bool
	secret: bool
	fn: Name
	key: Tuple[Any, ...]		# Name or Num; () for hash
	terms: Tuple[Any, ...]		# Name or Num
	text: str			# fn(key, a | b) as the spec writes it
	clauses: Clauses
	doc: str
	loc: Loc


@dataclass(frozen=True)
class Keys(Decl):
	inputs: Tuple[KeyInput, ...]
	formulas: Tuple[KeyFormula, ...]


@dataclass(frozen=True)
class Element:
	name: Name
	repeat: str		# '' * +


@dataclass(frozen=True)
class Item:
	optional: bool			# in [ ]
	elements: Tuple[Element, ...]	# more than one only in [ ]: adjacent, in this order
	loc: Loc


@dataclass(frozen=True)
class Shape:
	groups: Tuple[Tuple[Item, ...], ...]	# each before the next
	rest: bool			# ends in '> ...'
	text: str
	loc: Loc


@dataclass(frozen=True)
class Message:
	name: Name
	variants: Tuple[Name, ...]
	protection: str		# clear encrypted either
	shape: Shape
	where: Any
	clauses: Clauses
	doc: str
	loc: Loc


@dataclass(frozen=True)
class Messages(Decl):
	exchange: Name
	msgid: str		# zero nonzero any
	iv: Optional[Name]
	key: Optional[Name]
	tolerate: Tuple[Name, ...]
	messages: Tuple[Message, ...]


@dataclass(frozen=True)
class StateDecl:
	name: Name
	role: str		# initiator responder
	start: bool
	final: bool
	resend: bool
	over: bool
	number: Optional[Num]	# for those who are told of it
	text: str
	doc: str
	loc: Loc


@dataclass(frozen=True)
class Initiate:
	action: Name
	send: Name
	next: Name
	timer: Name
	loc: Loc


@dataclass(frozen=True)
class Row:
	state: Name
	recv: Name
	variants: Tuple[Name, ...]	# () = any
	prepare: Optional[Name]
	action: Name
	send: Optional[Name]
	next: Name
	timer: Optional[Name]		# retransmit replace
	doc: str
	loc: Loc


@dataclass(frozen=True)
class Binds:
	variable: Name
	actions: Tuple[Name, ...]	# messages and 'peer' among them
	loc: Loc


@dataclass(frozen=True)
class Supplies:
	values: Tuple[Name, ...]
	actions: Tuple[Name, ...]
	loc: Loc


@dataclass(frozen=True)
class Select:
	variable: Name
	variants: Tuple[Tuple[Name, Optional[Name]], ...]	# variant, symbol
	more: Tuple[Tuple[Name, Name], ...]	# variant, a further symbol that means it


@dataclass(frozen=True)
class Machine(Decl):
	messages: Name
	phase: int
	selects: Optional[Select]
	states: Tuple[StateDecl, ...]
	initiates: Tuple[Initiate, ...]
	heading: Tuple[Name, ...]
	rows: Tuple[Row, ...]
	binds: Tuple[Binds, ...]
	supplies: Tuple[Supplies, ...]


@dataclass(frozen=True)
class OnewayRow:
	message: Name
	action: Name
	doc: str
	loc: Loc


@dataclass(frozen=True)
class Oneway(Decl):
	messages: Name
	rows: Tuple[OnewayRow, ...]


# ---- policy, text and control

@dataclass(frozen=True)
class SuiteRow:
	cells: Tuple[Tuple[Any, ...], ...]	# Name or Num; () = '-'
	loc: Loc


@dataclass(frozen=True)
class Inherit:
	name: Name
	loc: Loc


@dataclass(frozen=True)
class Suite(Decl):
	protocol: Name
	heading: Tuple[Name, ...]
	rows: Tuple[Any, ...]		# SuiteRow or Inherit, in order


@dataclass(frozen=True)
class Columns(Decl):
	"""name = protocol"""
	columns: Tuple[Tuple[Name, Optional[Name]], ...]	# header, attribute; None = transform id


@dataclass(frozen=True)
class Limit:
	name: Name
	value: int
	doc: str
	loc: Loc


@dataclass(frozen=True)
class Timer:
	name: Name
	times: Tuple[int, ...]		# milliseconds
	doc: str
	loc: Loc


@dataclass(frozen=True)
class ReasonParam:
	name: Name
	type: Name


@dataclass(frozen=True)
class Reason:
	name: Name
	params: Tuple[ReasonParam, ...]
	notify: Optional[Name]
	status: Optional[Name]
	text: str
	template: str
	template_loc: Loc
	remedy: Optional[str]
	remedy_loc: Optional[Loc]
	doc: str
	loc: Loc


@dataclass(frozen=True)
class ProtocolField:
	name: Name
	type: Name
	repeated: bool
	text: str
	doc: str
	loc: Loc


@dataclass(frozen=True)
class ProtocolGroup:
	name: Name
	fields: Tuple[ProtocolField, ...]
	text: str
	doc: str
	loc: Loc


@dataclass(frozen=True)
class ProtocolMessage:
	name: Name
	number: Num
	fields: Tuple[ProtocolField, ...]
	text: str
	doc: str
	loc: Loc


@dataclass(frozen=True)
class Protocol(Decl):
	version: int
	groups: Tuple[ProtocolGroup, ...]
	messages: Tuple[ProtocolMessage, ...]


@dataclass(frozen=True)
class Option:
	program: Name
	forms: Tuple[Name, ...]
	name: Name
	metavar: Optional[str]
	type: Optional[Name]		# None = a flag without value
	choices: Tuple[Name, ...]	# enum(...)
	default: Any			# int, str or None
	min: Any
	max: Any
	unit: Optional[str]
	repeat: bool
	end: bool
	aliases: Tuple[Name, ...]
	words: Tuple[Name, ...]		# further flag words
	text: str
	doc: str
	loc: Loc


@dataclass(frozen=True)
class Form:
	program: Name
	name: Name
	text: str
	requires: Tuple[Name, ...]
	doc: str
	loc: Loc


@dataclass(frozen=True)
class Vendor:
	name: Name
	data: bytes
	prefix: bool		# anything may follow
	text: str
	clauses: Clauses
	doc: str
	loc: Loc


@dataclass
class Spec:
	"""All declarations of all files, each kind in order of reading."""
	registries: list = field(default_factory=list)
	bits: list = field(default_factory=list)
	structs: list = field(default_factory=list)
	attributes: list = field(default_factory=list)
	algorithms: list = field(default_factory=list)
	roles: list = field(default_factory=list)
	keys: list = field(default_factory=list)
	messages: list = field(default_factory=list)
	machines: list = field(default_factory=list)
	oneways: list = field(default_factory=list)
	suites: list = field(default_factory=list)
	columns: list = field(default_factory=list)
	limits: list = field(default_factory=list)
	timers: list = field(default_factory=list)
	reasons: list = field(default_factory=list)
	protocols: list = field(default_factory=list)
	options: list = field(default_factory=list)
	forms: list = field(default_factory=list)
	vendors: list = field(default_factory=list)
	sources: dict = field(default_factory=dict)	# file -> lines
