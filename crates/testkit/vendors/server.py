"""SendGrid's and Twilio's operations that send a message, checked as their published descriptions say, and the call-backs
of SendGrid, Twilio and Amazon SNS, signed as each of them signs. One process for one test: a line of JSON is a command."""

import base64
import datetime
import hashlib
import hmac
import json
import re
import secrets
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

SENDGRID_KEY = "SG." + secrets.token_urlsafe(16) + "." + secrets.token_urlsafe(32)
ACCOUNT, TOKEN = "AC" + secrets.token_hex(16), secrets.token_hex(16)
PEM_PATH = "/SimpleNotificationService-" + secrets.token_hex(16) + ".pem"

lock = threading.Lock()
got, faults, answers, hanging = [], [], [], threading.Event()
event_key = ec.generate_private_key(ec.SECP256R1())
topic_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate():
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.datetime(2020, 1, 1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(topic_key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now.replace(year=2120))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("sns.amazonaws.com")]), False)
    return builder.sign(topic_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


PEM = certificate()

# --- SendGrid: POST /v3/mail/send of the Web API, version 3.

EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$|^[^@\s]+@localhost$")
TOP = {"personalizations", "from", "reply_to", "reply_to_list", "subject", "content", "attachments", "template_id", "headers",
       "categories", "custom_args", "send_at", "batch_id", "asm", "ip_pool_name", "mail_settings", "tracking_settings"}
PERSON = {"from", "to", "cc", "bcc", "subject", "headers", "substitutions", "dynamic_template_data", "custom_args", "send_at"}
RESERVED = {"x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding", "to", "from",
            "subject", "reply-to", "cc", "bcc"}


def of(value, kind, field, wrong):
    if not isinstance(value, kind):
        wrong(field, "Invalid type.")
        return kind()
    return value


def check_mail(body, wrong):
    for name in set(body) - TOP:
        wrong(name, "Unknown property.")
    people = of(body.get("personalizations"), list, "personalizations", wrong)
    if not 1 <= len(people) <= 1000:
        wrong("personalizations", "The personalizations field is required and must have at least one personalization.")
    for index, person in enumerate(people):
        check_person(of(person, dict, f"personalizations.{index}", wrong), f"personalizations.{index}", wrong)
    check_party(of(body.get("from"), dict, "from", wrong), "from", wrong)
    if not of(body.get("subject"), str, "subject", wrong):
        wrong("subject", "The subject is required.")
    check_content(of(body.get("content"), list, "content", wrong), wrong)
    for name, value in of(body.get("headers", {}), dict, "headers", wrong).items():
        if name.lower() in RESERVED or not name.isascii() or " " in name:
            wrong(f"headers.{name}", "The header is reserved or no name.")
        if not isinstance(value, str) or not value.isascii() or "\n" in value or "\r" in value:
            wrong(f"headers.{name}", "The value is no line of ASCII.")
    for index, file in enumerate(of(body.get("attachments", []), list, "attachments", wrong)):
        check_file(file, f"attachments.{index}", wrong)
    settings = of(body.get("tracking_settings", {}), dict, "tracking_settings", wrong)
    for name, setting in settings.items():
        if name not in {"click_tracking", "open_tracking", "subscription_tracking", "ganalytics"}:
            wrong(f"tracking_settings.{name}", "Unknown property.")
        if not isinstance(setting.get("enable"), bool):
            wrong(f"tracking_settings.{name}.enable", "Invalid type.")


def check_person(person, field, wrong):
    for name in set(person) - PERSON:
        wrong(f"{field}.{name}", "Unknown property.")
    to = of(person.get("to"), list, f"{field}.to", wrong)
    if not to:
        wrong(f"{field}.to", "The to array is required for all personalization objects, and must have at least one email.")
    for index, party in enumerate(to):
        check_party(of(party, dict, f"{field}.to.{index}", wrong), f"{field}.to.{index}", wrong)
    arguments = of(person.get("custom_args", {}), dict, f"{field}.custom_args", wrong)
    if len(json.dumps(arguments)) > 10000 or not all(isinstance(value, str) for value in arguments.values()):
        wrong(f"{field}.custom_args", "They are strings, of 10,000 bytes together.")


def check_party(party, field, wrong):
    if not EMAIL.match(str(party.get("email", ""))):
        wrong(f"{field}.email", "Does not contain a valid address.")
    if set(party) - {"email", "name"} or not isinstance(party.get("name", ""), str):
        wrong(field, "Unknown property.")


def check_content(content, wrong):
    types = [part.get("type") for part in content]
    if not content or types[0] != "text/plain" or ("text/html" in types and types[1] != "text/html"):
        wrong("content", "Content is required, text/plain first and text/html next.")
    for index, part in enumerate(content):
        if set(part) != {"type", "value"} or not part["value"]:
            wrong(f"content.{index}.value", "The content value must be a string at least one character in length.")
        if re.search(r"[;\r\n]", part["type"]):
            wrong(f"content.{index}.type", "The type must not contain ';' or CRLF characters.")


def check_file(file, field, wrong):
    if set(file) - {"content", "type", "filename", "disposition", "content_id"} or not file.get("filename"):
        wrong(field, "Unknown property, or no name.")
    if re.search(r"[;\r\n]", file.get("type", "")):
        wrong(f"{field}.type", "The type must not contain ';' or CRLF characters.")
    if file.get("disposition", "attachment") not in {"inline", "attachment"}:
        wrong(f"{field}.disposition", "The disposition must be inline or attachment.")
    try:
        if not base64.b64decode(file["content"], validate=True):
            raise ValueError
    except (KeyError, ValueError):
        wrong(f"{field}.content", "The content must be base64 encoded.")


def sendgrid(handler, body):
    errors = []

    def wrong(field, message):
        errors.append({"message": message, "field": field, "help": "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html"})

    if handler.headers.get("Authorization") != f"Bearer {SENDGRID_KEY}":
        return 401, {}, {"errors": [{"message": "The provided authorization grant is invalid, expired, or revoked",
                                     "field": None, "help": None}]}
    if handler.headers.get("Content-Type") != "application/json":
        return 415, {}, {"errors": [{"message": "Content-Type should be application/json.", "field": None}]}
    mail = json.loads(body)
    check_mail(mail, wrong)
    if errors:
        faults.extend(errors)
        return 400, {}, {"errors": errors}
    got.append(mail)
    return 202, {"X-Message-Id": secrets.token_urlsafe(16)}, None


# --- Twilio: POST /2010-04-01/Accounts/{AccountSid}/Messages.json

PARAMETERS = {"To", "From", "MessagingServiceSid", "Body", "StatusCallback", "ValidityPeriod", "MaxPrice", "SmartEncoded",
              "ShortenUrls", "RiskCheck", "ProvideFeedback", "Attempt"}


def refusal(status, code, message):
    return status, {}, {"code": code, "message": message, "more_info": f"https://www.twilio.com/docs/errors/{code}", "status": status}


def twilio(handler, body, account):
    basic = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    if handler.headers.get("Authorization") != basic:
        return refusal(401, 20003, "Authenticate")
    if account != ACCOUNT:
        return refusal(404, 20404, "The requested resource was not found")
    wrong = []
    if handler.headers.get("Content-Type") != "application/x-www-form-urlencoded":
        wrong.append("the media type")
    pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True)
    message = dict(pairs)
    if len(message) != len(pairs) or set(message) - PARAMETERS:
        wrong.append("a parameter that is not known, or twice")
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", message.get("To", "")):
        return refusal(400, 21211, f"Invalid 'To' Phone Number: {message.get('To')}")
    sender, service = message.get("From"), message.get("MessagingServiceSid")
    if (sender is None) == (service is None):
        wrong.append("From or MessagingServiceSid, and not both")
    if sender is not None and not re.fullmatch(r"\+[1-9][0-9]{6,14}|[0-9]{5,6}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}", sender):
        wrong.append("From")
    if service is not None and not re.fullmatch(r"MG[0-9a-fA-F]{32}", service):
        wrong.append("MessagingServiceSid")
    if not 1 <= len(message.get("Body", "")) <= 1600:
        return refusal(400, 21617, "The concatenated message body exceeds the 1600 character limit")
    if not re.fullmatch(r"https?://[^\s#]+", message.get("StatusCallback", "https://none")):
        wrong.append("StatusCallback")
    faults.extend(wrong)
    if wrong:
        return refusal(400, 20001, f"Wrong: {', '.join(wrong)}")
    got.append(message)
    sid = "SM" + secrets.token_hex(16)
    return 201, {}, {"sid": sid, "account_sid": ACCOUNT, "status": "queued", "to": message["To"], "from": sender,
                     "messaging_service_sid": service, "body": message["Body"], "direction": "outbound-api",
                     "num_segments": "1", "error_code": None, "error_message": None, "api_version": "2010-04-01"}


# --- The server.


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path == PEM_PATH:
            return self.answer(200, {"Content-Type": "binary/octet-stream"}, PEM)
        if self.path.startswith("/?Action=ConfirmSubscription&"):
            with lock:
                got.append({"confirmed": self.path})
            return self.answer(200, {}, b"<ConfirmSubscriptionResponse/>")
        self.answer(404, {}, b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if hanging.is_set():
            threading.Event().wait()
        with lock:
            status, headers, said = self.reply(body)
        said = b"" if said is None else said.encode() if isinstance(said, str) else json.dumps(said).encode()
        self.answer(status, {"Content-Type": "application/json"} | headers, said)

    def reply(self, body):
        if answers:
            planned = answers.pop(0)
            return planned["status"], planned.get("headers", {}), planned.get("body")
        if self.path == "/v3/mail/send":
            return sendgrid(self, body)
        found = re.fullmatch(r"/2010-04-01/Accounts/(\w+)/Messages\.json", self.path)
        if found:
            return twilio(self, body, found[1])
        faults.append(f"{self.command} {self.path}")
        return 404, {}, None

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


# --- What a test asks for.


def sign_events(command):
    """SendGrid: ECDSA over the time and the body as it is."""
    body, at = json.dumps(command["events"]), str(command["at"])
    signature = event_key.sign((at + body).encode(), ec.ECDSA(hashes.SHA256()))
    return {"body": body, "signature": base64.b64encode(signature).decode(), "timestamp": at}


def sign_status(command):
    """Twilio: HMAC-SHA1 over the URL and the parameters in their order."""
    text = command["url"] + "".join(name + value for name, value in sorted(command["parameters"].items()))
    return {"signature": base64.b64encode(hmac.new(TOKEN.encode(), text.encode(), hashlib.sha1).digest()).decode()}


def sign_notification(command):
    """Amazon SNS: RSA over some of the fields, in their order."""
    message = {"SignatureVersion": "2", "SigningCertURL": "https://sns.eu-west-1.amazonaws.com" + PEM_PATH} | command["message"]
    names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    if message["Type"] == "Notification":
        names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
    message["Signature"] = base64.b64encode(topic_key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
    return {"body": json.dumps(message)}


def take(_):
    told = {"got": list(got), "faults": list(faults)}
    got.clear()
    faults.clear()
    return told


def plan(command):
    answers.extend(command["answers"])
    return {}


def hang(_):
    hanging.set()
    return {}


COMMANDS = {"got": take, "answer": plan, "hang": hang, "sign_events": sign_events, "sign_status": sign_status,
            "sign_notification": sign_notification}

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
public = event_key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}", "sendgrid_key": SENDGRID_KEY, "account": ACCOUNT,
                  "token": TOKEN, "event_key": base64.b64encode(public).decode()}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    with lock:
        told = COMMANDS[asked["command"]](asked)
    print(json.dumps(told), flush=True)
