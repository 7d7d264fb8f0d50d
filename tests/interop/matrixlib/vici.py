"""strongSwan's control protocol: requests and answers are sections of keys, values and lists."""

import socket
import struct

REQUEST, RESPONSE, UNKNOWN, REGISTER, UNREGISTER, CONFIRM, EVENT_UNKNOWN, EVENT = range(8)
SECTION, END, VALUE, LIST, ITEM, LIST_END = range(1, 7)


def octets(value):
	return value if isinstance(value, bytes) else str(value).encode()


def encode(section):
	out = b""
	for name, value in section.items():
		name = bytes([len(name)]) + name.encode()
		if isinstance(value, dict):
			out += bytes([SECTION]) + name + encode(value) + bytes([END])
		elif isinstance(value, (list, tuple)):
			items = (octets(v) for v in value)
			out += bytes([LIST]) + name + b"".join(bytes([ITEM]) + struct.pack(">H", len(v)) + v for v in items) + bytes([LIST_END])
		else:
			value = octets(value)
			out += bytes([VALUE]) + name + struct.pack(">H", len(value)) + value
	return out


def decode(data):
	at, stack, items = 0, [{}], None
	while at < len(data):
		kind = data[at]
		at += 1
		name = value = None
		if kind in (SECTION, VALUE, LIST):
			name = data[at + 1:at + 1 + data[at]].decode()
			at += 1 + data[at]
		if kind in (VALUE, ITEM):
			n = struct.unpack_from(">H", data, at)[0]
			value = data[at + 2:at + 2 + n].decode(errors="replace")
			at += 2 + n
		if kind == SECTION:
			stack[-1][name] = {}
			stack.append(stack[-1][name])
		elif kind == END:
			stack.pop()
		elif kind == VALUE:
			stack[-1][name] = value
		elif kind == LIST:
			items = stack[-1][name] = []
		elif kind == ITEM:
			items.append(value)
	return stack[0]


class Vici:
	def __init__(self, path):
		self.socket = socket.socket(socket.AF_UNIX)
		self.socket.connect(path)

	def send(self, kind, name, body=b""):
		packet = bytes([kind, len(name)]) + name.encode() + body
		self.socket.sendall(struct.pack(">I", len(packet)) + packet)

	def read(self, n):
		data = b""
		while len(data) < n:
			more = self.socket.recv(n - len(data))
			if not more:
				raise ConnectionError("strongSwan has closed its socket")
			data += more
		return data

	def receive(self):
		packet = self.read(struct.unpack(">I", self.read(4))[0])
		return packet[0], packet[1:]

	def request(self, name, section=None, timeout=30):
		"""The answer, a dict; "success" is "no" where it failed, then "errmsg" says why."""
		self.socket.settimeout(timeout)
		self.send(REQUEST, name, encode(section or {}))
		kind, body = self.receive()
		if kind != RESPONSE:
			raise ConnectionError("strongSwan does not know the command %s" % name)
		return decode(body)

	def stream(self, name, event, section=None):
		"""All the events that come before the answer."""
		self.socket.settimeout(30)
		self.send(REGISTER, event)
		self.receive()
		self.send(REQUEST, name, encode(section or {}))
		found = []
		kind, body = self.receive()
		while kind == EVENT:
			found.append(decode(body[1 + body[0]:]))
			kind, body = self.receive()
		self.send(UNREGISTER, event)
		self.receive()
		return found
