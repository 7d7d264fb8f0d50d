"""Why octets are refused: the record that the generated parsers fill as struct fault."""


class Fault(Exception):
	def __init__(self, reason, notify, where, field, offset, got, want):
		super().__init__()
		self.reason = reason		# name of a record in spec/faults.spec
		self.notify = notify		# value of notify_type, 0 = none
		self.where = where		# payload, struct or message
		self.field = field
		self.offset = offset		# octets from the start of the message
		self.got = got
		self.want = want

	def __str__(self):
		return "%s: %s of %s at octet %d, got %d, want %d" % (self.reason, self.field, self.where,
			self.offset, self.got, self.want)


def number(notify):
	"""The value of a model.Notify or None."""
	return notify.value if notify is not None else 0


def blame(reason, notify, where, field, offset, got=0, want=0):
	raise Fault(reason, number(notify), where, field, offset, got, want)
