"""Whacks that do not behave, for control-clients.sh:  control_client.py SOCKET BEHAVIOUR

Prints what pluto says; exit status 0 when pluto behaved as the behaviour expects."""

import socket
import struct
import sys
import time

VERSION, HELLO, REPLY, FINISH, STATUS, INITIATE = 1, 1, 2, 3, 20, 17


def frame(message, *fields, version=VERSION):
	body = b"".join(struct.pack(">BI", number, len(value)) + value for number, value in fields)
	return struct.pack(">IBB", len(body) + 2, version, message) + body


def connect(path):
	s = socket.socket(socket.AF_UNIX)
	s.connect(path)
	s.settimeout(10)
	return s


def exactly(s, n):
	got = b""
	while len(got) < n:
		more = s.recv(n - len(got))
		if not more:
			raise EOFError
		got += more
	return got


def receive(s):
	"""(message, {field: value})"""
	length = struct.unpack(">I", exactly(s, 4))[0]
	body = exactly(s, length)
	fields, at = {}, 2
	while at < length:
		number, n = struct.unpack_from(">BI", body, at)
		fields[number] = body[at + 5:at + 5 + n]
		at += 5 + n
	return body[1], fields


def greeted(path):
	s = connect(path)
	s.sendall(frame(HELLO, (1, b"test"), (2, b"0")))
	message, fields = receive(s)
	assert message == HELLO and fields[1] == b"pluto", (message, fields)
	return s


def refused(s, what):
	"""pluto says why, and hangs up."""
	message, fields = receive(s)
	text = fields.get(2, b"").decode()
	print(what + ":", text)
	assert message == REPLY and ";" in text, "no reason with a remedy"
	assert receive(s)[0] == FINISH
	try:
		exactly(s, 1)
	except (EOFError, ConnectionResetError):
		return
	raise AssertionError("pluto goes on talking")


def garbage(path):
	for what, octets in (("a web browser", b"GET / HTTP/1.0\r\n\r\n"), ("length 0", b"\0\0\0\0"),
			("length 1", b"\0\0\0\1x"), ("another version", frame(HELLO, version=9)),
			("no hello", frame(STATUS)), ("an unknown message", frame(200)),
			("a field cut off", b"\0\0\0\x07\1\1\1\0\0\0\xff")):
		s = connect(path)
		s.sendall(octets)
		refused(s, what)


def unknown_request(path):
	"""After a hello a request that nobody knows is answered, and the next one is carried out."""
	s = greeted(path)
	s.sendall(frame(200) + frame(STATUS))
	finished = 0
	while finished < 2:
		message, fields = receive(s)
		if message == FINISH:
			finished += 1
		elif finished == 0:
			print(fields[2].decode())
	return s


def octets(path):
	"""Octet by octet is a request, too."""
	s = connect(path)
	for o in frame(HELLO, (1, b"slow")) + frame(STATUS):
		s.sendall(bytes([o]))
	while receive(s)[0] != FINISH:
		pass


def deaf(path):
	"""Asks again and again and never reads; is dropped."""
	s = greeted(path)
	s.settimeout(20)
	requests = frame(STATUS) * 1000
	end = time.monotonic() + 40
	try:
		while time.monotonic() < end:
			s.sendall(requests)
	except (BrokenPipeError, ConnectionResetError):
		print("dropped")
		return
	except socket.timeout:
		# Nothing more is taken from us.  Then the connection is closed on the other side.
		while time.monotonic() < end:
			time.sleep(0.5)
			try:
				s.send(b"", socket.MSG_DONTWAIT)
				s.getpeername()
			except OSError:
				print("dropped")
				return
	raise AssertionError("still connected")


def silent(path):
	"""Connects and says nothing, many times."""
	whacks = [connect(path) for _ in range(100)]
	print("ready", flush=True)
	sys.stdin.readline()
	for s in whacks:
		s.close()


def crowd(path):
	"""More whacks than there may be: the last ones are told so, the first ones are served."""
	whacks = [connect(path) for _ in range(256)]
	refused(connect(path), "too many")
	for s in whacks[::51]:
		s.sendall(frame(HELLO, (1, b"test")))
		assert receive(s)[0] == HELLO
	for s in whacks:
		s.close()
	time.sleep(0.5)
	greeted(path)


def leaver(path):
	"""Hangs up in the middle of a request, after a request, and in the middle of the answer."""
	for n in (1, 4, 6, 9):
		connect(path).sendall(frame(HELLO, (1, b"test"))[:n])
	for n in (1, 1, 1):
		s = greeted(path)
		s.sendall(frame(STATUS) * n)
		s.close()
	s = greeted(path)
	s.sendall(frame(STATUS))
	exactly(s, 3)
	s.close()


behaviours = {f.__name__: f for f in (garbage, unknown_request, octets, deaf, silent, crowd, leaver)}
behaviours[sys.argv[2]](sys.argv[1])
