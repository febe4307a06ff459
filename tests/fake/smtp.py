#!/usr/bin/python3
"""A mail server for tests: a real one (aiosmtpd), or one that misbehaves.

    smtp.py [--port N] [--mode MODE] [--cert F --key F] [--user U --password P]

Listens on 127.0.0.1.  Prints one JSON object a line: {"ready": PORT}, then
{"event": "connect"}, {"event": "command", "line"} and {"mail": {...}}.

    plain      no TLS
    starttls   offers STARTTLS; with --user, AUTH only after it
    implicit   TLS from the first byte
    refusing   550 to every recipient
    deferring  450 to every recipient
    silent     takes the connection and says nothing
    garbage    says what no mail server says
    dropping   closes when the mail comes
"""

import argparse
import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


def say(**what):
    print(json.dumps(what), flush=True)


def read_mail(server, session, envelope):
    message = email.message_from_bytes(envelope.content,
                                       policy=email.policy.default)
    parts = [{"type": p.get_content_type(), "text": p.get_content()}
             for p in message.walk() if not p.is_multipart()]
    return {
        "from": envelope.mail_from,
        "to": envelope.rcpt_tos,
        "headers": {k.lower(): str(v) for k, v in message.items()},
        "names": [k.lower() for k in message.keys()],
        "types": [p.get_content_type() for p in message.walk()],
        "parts": parts,
        "defects": [str(d) for p in message.walk() for d in p.defects],
        "raw": envelope.content.decode("ascii", "backslashreplace"),
        "tls": server.transport.get_extra_info("ssl_object") is not None,
        "user": getattr(session, "auth_data", None),
    }


class Handler:
    def __init__(self, mode):
        self.mode = mode

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.mode == "refusing":
            return "550 5.1.1 nobody of that name"
        if self.mode == "deferring":
            return "450 4.2.0 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        say(mail=read_mail(server, session, envelope))
        return "250 OK"


class Listening(SMTP):
    """Reports the words that open a conversation or carry a name."""

    def connection_made(self, transport):
        if self.transport is None:
            say(event="connect")
        super().connection_made(transport)

    async def push(self, status):
        await super().push(status)

    async def smtp_EHLO(self, hostname):
        say(event="command", line="EHLO")
        await super().smtp_EHLO(hostname)

    async def smtp_AUTH(self, arg):
        say(event="command", line="AUTH")
        await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg):
        say(event="command", line="MAIL")
        await super().smtp_MAIL(arg)


class Dropping(Listening):
    async def smtp_DATA(self, arg):
        await self.push("354 go ahead")
        await asyncio.sleep(0.2)
        self.transport.abort()


def misbehave(mode):
    async def on_client(reader, writer):
        say(event="connect")
        try:
            if mode == "garbage":
                writer.write(b"\x00\xff\xfe not a mail server\r\n" * 400)
                await writer.drain()
            while await reader.read(1024):
                pass
        except ConnectionError:
            pass
        writer.close()
    return on_client


def factory(args, context):
    def authenticate(server, session, envelope, mechanism, data):
        good = (data.login == args.user.encode() and
                data.password == args.password.encode())
        return AuthResult(success=good, handled=False,
                          auth_data=data.login.decode() if good else None)

    options = {"hostname": "fake.test"}
    if args.mode == "starttls":
        options.update(tls_context=context, require_starttls=True)
    if args.user is not None:
        options.update(authenticator=authenticate, auth_required=True,
                       auth_require_tls=args.mode == "starttls")
    kind = Dropping if args.mode == "dropping" else Listening
    return lambda: kind(Handler(args.mode), loop=asyncio.get_event_loop(),
                        **options)


async def serve(args):
    loop = asyncio.get_running_loop()
    context = None
    if args.cert is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(args.cert, args.key)
    if args.mode in ("silent", "garbage"):
        server = await asyncio.start_server(misbehave(args.mode),
                                            "127.0.0.1", args.port)
    else:
        server = await loop.create_server(
            factory(args, context), "127.0.0.1", args.port,
            ssl=context if args.mode == "implicit" else None)
    say(ready=server.sockets[0].getsockname()[1])
    # Who started us holds our input open as long as we are wanted.
    await loop.run_in_executor(None, sys.stdin.buffer.read)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--mode", default="plain")
    for name in ("cert", "key", "user", "password"):
        parser.add_argument("--" + name)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
