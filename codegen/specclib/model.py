"""The resolved view of a spec: what generators read.  Built by resolve.py; nothing here is ever changed after.

Conventions of names: the registries `payload_type`, `notify_type`, `protocol_id`, `exchange_type` and the
switch `transform_id` have the meaning that their names say."""

from dataclasses import dataclass, field
from typing import Any, Optional

PAYLOADS, NOTIFIES, PROTOCOLS, EXCHANGES = "payload_type", "notify_type", "protocol_id", "exchange_type"
TRANSFORMS = "transform_id"
ANY = ()


@dataclass(eq=False)
class Registry:
	name: str
	bits: int
	closed: bool
	prefix: str
	notify: Any			# Notify or None: the "else" of the registry
	entries: list			# RegistryEntry, ascending
	rfc: str
	doc: str
	decl: Any			# ast.Registry
	switch: Optional[str] = None	# id of the switch it is a branch of
	by_symbol: dict = field(default_factory=dict)

	@property
	def loc(self):
		return self.decl.loc

	def find(self, value):
		return next((e for e in self.entries if e.lo <= value <= e.hi), None)


@dataclass(eq=False)
class RegistryEntry:
	lo: int
	hi: int
	kind: str			# named reserved private
	symbol: Optional[str]
	logged: Optional[str]
	text: str
	words: tuple
	algorithm: Any			# Algorithm or None
	aliases: tuple
	rfc: str
	decl: Any


@dataclass(eq=False)
class Bits:
	name: str
	bits: int
	prefix: str
	notify: Any
	entries: list			# ast.BitEntry
	rfc: str
	doc: str
	decl: Any
	by_symbol: dict = field(default_factory=dict)	# symbol -> bit number

	@property
	def loc(self):
		return self.decl.loc

	@property
	def mask(self):
		return sum(1 << e.bit for e in self.entries)


@dataclass(eq=False)
class Notify:
	"""A value of notify_type that an `else` names."""
	symbol: str
	value: int


@dataclass(eq=False)
class Switch:
	name: str
	selector: Registry		# whose values select
	branches: dict			# value of selector -> Registry, in order of declaration


@dataclass(eq=False)
class Field:
	name: str
	kind: str			# uint bytes zero structs attributes slices
	decl: Any			# ast.Field
	struct_of: Any = None		# the Struct whose field list this is
	inherited: bool = False		# comes from the base
	bits: int = 0			# uint: 4 8 16 32 64
	registry: Any = None		# uint: Registry or None
	bitset: Any = None		# uint: Bits or None
	switch: Any = None		# uint: Switch or None
	selector: Optional[str] = None	# switch, attributes, structs: field or parameter that selects
	table: Any = None		# attributes: the one table that it takes, or None
	element: Any = None		# structs: Struct
	min: int = 0			# octets (bytes, attributes), elements (structs, slices); size when fixed
	max: Optional[int] = None	# None = what is left
	length_field: Optional[str] = None	# bytes[f]: the field that gives the octets
	slice_size: Optional[str] = None	# slices: field that gives the octets of each
	fixed: bool = False		# bytes[n], zero[n]
	constraint: Optional[str] = None	# const bits size_self size_message range oneof nonzero count
	values: tuple = ()		# const (1), bits (mask,), range (lo, hi), oneof: numbers
	value_names: tuple = ()		# the same as written
	counts: Optional[str] = None	# count(f): f
	sizes: tuple = ()		# fields whose length (or slice size) this one gives
	lax: bool = False
	chain: bool = False
	notify: Any = None		# Notify or None, with the defaults of registry and struct applied
	offset: Optional[int] = None	# in bits from the start of the struct; None after variable fields

	@property
	def loc(self):
		return self.decl.loc

	@property
	def derived(self):
		"""Computed on output: no member of the emit arguments."""
		return (self.kind == "zero" or (self.chain and self.kind == "uint") or bool(self.sizes)
			or self.constraint in ("const", "bits", "size_self", "size_message", "count"))

	@property
	def takes_rest(self):
		return self.kind in ("bytes", "attributes", "slices", "structs") and not self.fixed \
			and self.length_field is None


@dataclass(eq=False)
class Struct:
	name: str
	kind: str			# struct payload
	number: Optional[int]		# of payload_type
	nested: bool
	params: list			# (name, Registry)
	base: Any			# Struct or None
	fields: list			# Field, the base's first
	requires: list			# Require
	notify: Any
	rfc: str
	doc: str
	decl: Any
	text: str = ""			# description of the payload in payload_type
	min_size: int = 0		# octets

	@property
	def loc(self):
		return self.decl.loc

	@property
	def secret(self):
		"""Not to travel in clear where that can be avoided."""
		return self.decl.clauses.secret

	@property
	def own_fields(self):
		return [f for f in self.fields if not f.inherited]

	def field(self, name):
		return next((f for f in self.fields if f.name == name), None)


@dataclass(eq=False)
class Require:
	"""cond -> then; the conditions are Expr trees, see below."""
	cond: Any
	then: Any
	notify: Any
	text: str			# as written
	decl: Any

	@property
	def loc(self):
		return self.decl.loc


# Conditions, resolved.  Leaves: Const, FieldRef, Len, Count, Has, Each.

@dataclass(eq=False)
class Const:
	value: int
	text: str


@dataclass(eq=False)
class FieldRef:
	field: Field


@dataclass(eq=False)
class Param:
	name: str
	registry: Registry


@dataclass(eq=False)
class Len:
	field: Field


@dataclass(eq=False)
class Count:
	"""count(SLOT.a.b): how many b there are in EVERY a (compared with 'for all')."""
	slot: str
	path: list			# Field of kind structs or slices


@dataclass(eq=False)
class Has:
	slot: str


@dataclass(eq=False)
class Each:
	"""each(SLOT.a..., ATTRIBUTE): every innermost element carries the attribute.  False when none does; when
	some do and others do not, no comparison with it holds."""
	slot: str
	path: list
	attribute: Any			# Attribute by protocol: dict protocol value -> Attribute
	text: str


@dataclass(eq=False)
class Compare:
	op: str
	left: Any
	right: Any


@dataclass(eq=False)
class In:
	"""left is one of choices; tuples: left and each choice are lists of the same length."""
	left: Any
	choices: list


@dataclass(eq=False)
class And:
	items: list


# ---- attributes and algorithms

@dataclass(eq=False)
class Attribute:
	number: int
	name: str
	basic: bool
	tlv: bool			# emitted as TLV even if it fits TV
	repeat: bool			# may stand more than once in a list
	step: int			# the octets of the value are a multiple of it
	registry: Any
	kind: str			# uint bytes
	bits: int			# basic: 16 (or 8)
	min: int			# octets of the value
	max: Optional[int]
	after: Optional[str]
	text: str
	rfc: str
	decl: Any


@dataclass(eq=False)
class Attributes:
	name: str
	protocols: list			# values of protocol_id
	entries: list			# Attribute, ascending
	rfc: str
	decl: Any
	by_name: dict = field(default_factory=dict)

	@property
	def loc(self):
		return self.decl.loc


@dataclass(eq=False)
class Algorithm:
	name: str			# as written; C: ALG_ + upper case
	kind: str			# hash cipher aead mac modp ecp montgomery compression
	properties: dict		# name -> list of ints, or [Algorithm] for `hash`
	rfc: str
	doc: str
	decl: Any

	def get(self, name, default=0):
		"""The first value of a property."""
		return self.properties[name][0] if name in self.properties else default


# ---- exchanges

@dataclass(eq=False)
class Role:
	name: str
	payload: Struct
	where: Any			# condition over the payload's fields, or None
	text: str
	rfc: str
	decl: Any


@dataclass(eq=False)
class Value:
	"""A key value.  source: action icookie rcookie msgid rest last_block body whole formula"""
	name: str
	source: str
	role: Optional[str]		# body, whole: the role (or payload) that is captured
	retain: bool
	secret: bool
	text: str
	formulas: list			# Formula, one for each variant
	loc: Any
	number: int = 0			# enum key_value


@dataclass(eq=False)
class Formula:
	value: Value
	variants: tuple			# names; () = any
	mask: int
	fn: str				# prf prf_plus stretch hash sign
	key: list			# terms of the key: [] for hash, mostly one Value
	terms: list			# Value or int (one octet)
	text: str
	rfc: str
	decl: Any

	@property
	def loc(self):
		return self.decl.loc


@dataclass(eq=False)
class Slot:
	name: str			# as written: role or payload
	payload: Struct
	role: Any			# Role or None
	index: int
	repeated: bool			# more than one is possible
	optional: bool			# may be absent in one of the shapes
	body: Any = None		# Value that captures the body, or None
	whole: Any = None
	formula: Any = None		# Value that gives the payload's data, or None (HASH_*, SIG_*)
	signature: bool = False		# that value is made by sign()


@dataclass(eq=False)
class Shape:
	variants: tuple			# () = any
	mask: int
	elements: list			# (Slot, repeat '' * +, optional) in order of emission
	dfa: Any			# shapes.Dfa, its slots as names; None when it could not be built
	where: Any			# condition or None
	where_text: str
	rfc: str
	decl: Any			# ast.Message
	text: str			# the shape as written


@dataclass(eq=False)
class Message:
	name: str
	id: int				# enum message_id, from 1
	messages: Any			# Messages
	protection: str			# clear encrypted either
	shapes: list
	slots: list			# over all shapes
	doc: str
	loc: Any

	def slot(self, name):
		return next((s for s in self.slots if s.name == name), None)

	def shapes_for(self, variant):
		return [s for s in self.shapes if not s.variants or variant is None or variant in s.variants]


@dataclass(eq=False)
class Messages:
	name: str
	exchange: int
	exchange_name: str
	msgid: str
	iv: Any				# Value or None
	key: Any
	tolerated: list			# Struct
	messages: list
	rfc: str
	doc: str
	decl: Any

	@property
	def loc(self):
		return self.decl.loc


@dataclass(eq=False)
class State:
	name: str
	id: int				# over all machines, from 0
	role: str			# initiator responder
	start: bool
	final: bool
	resend: bool
	over: bool
	text: str
	doc: str
	machine: Any
	loc: Any
	rows: list = field(default_factory=list)


@dataclass(eq=False)
class Row:
	state: Any			# State; None for initiate
	recv: Any			# Message; None for initiate
	variants: tuple
	mask: int
	prepare: Optional[str]		# the action that runs before the message is verified
	action: str
	send: Any			# Message or None
	next: Any			# State
	timer: Optional[str]		# retransmit, replace, a name of `timers`, or None
	doc: str
	decl: Any			# ast.Row or ast.Initiate

	@property
	def loc(self):
		return self.decl.loc


@dataclass(eq=False)
class Machine:
	name: str
	id: int				# from 0
	messages: Messages
	phase: int
	selects: Optional[str]		# the variable
	variants: list			# (name, value or None, Registry or None)
	states: list
	initiate: Any			# Row or None
	rows: list
	binds: list			# names of actions, and of messages whose shape tells
	supplies: dict			# action name -> [Value]
	rfc: str
	doc: str
	decl: Any

	@property
	def loc(self):
		return self.decl.loc

	def state(self, name):
		return next((s for s in self.states if s.name == name), None)


@dataclass(eq=False)
class Oneway:
	name: str
	messages: Messages
	rows: list			# (Message, action name, ast.OnewayRow)
	rfc: str
	doc: str
	decl: Any


@dataclass(eq=False)
class Action:
	name: str
	owner: Any			# Machine or Oneway
	recv: Any			# Message or None (initiate)
	send: Any			# Message or None
	rows: list			# Row, or ast.OnewayRow
	loc: Any			# of its first use


# ---- policy, text and control

@dataclass(eq=False)
class SuiteRow:
	transform: int
	cells: list			# (attribute number, value), in order of the columns
	names: list			# the same as written, '-' left out
	decl: Any


@dataclass(eq=False)
class Suite:
	name: str
	protocol: int
	protocol_name: str
	rows: list			# SuiteRow, multiplied out and with what is inherited
	rfc: str
	doc: str
	decl: Any


@dataclass(eq=False)
class Columns:
	protocol: int
	columns: list			# (name, Attribute or None = transform id)
	decl: Any


@dataclass(eq=False)
class Reason:
	name: str
	params: list			# (name, type): u32 u64 string bytes addr endpoint subnet
	notify: Any			# Notify or None
	status: Optional[int]		# whack_status
	status_name: Optional[str]
	template: list			# str and (name, type) pieces
	remedy: Optional[list]
	text: str
	doc: str
	decl: Any


@dataclass(eq=False)
class Model:
	spec: Any			# ast.Spec
	registries: dict		# id -> Registry
	switches: dict			# id -> Switch
	bits: dict
	structs: dict			# id -> Struct, `struct` and `payload`
	payloads: dict			# the payloads of it, by name, in order of number
	attributes: dict		# id -> Attributes
	attributes_for: dict		# protocol value -> Attributes
	algorithms: dict
	roles: dict
	values: dict			# key values in order of enum key_value (which starts at 1)
	formulas: list
	variants: list			# names, in order: bit n of a mask
	message_sets: dict		# id -> Messages
	messages: dict			# name -> Message
	machines: dict
	oneways: dict
	states: list
	actions: dict
	columns: dict			# protocol value -> Columns
	suites: dict
	limits: dict			# name -> ast.Limit
	timers: dict			# name -> ast.Timer
	reasons: dict
	protocols: dict			# name -> ast.Protocol
	options: list			# ast.Option
	forms: list			# ast.Form
	vendors: list			# ast.Vendor

	def variant_mask(self, names):
		return sum(1 << self.variants.index(n) for n in names)

	def registry_value(self, registry, symbol):
		return self.registries[registry].by_symbol[symbol].lo
