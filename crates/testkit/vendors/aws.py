"""Amazon SES, SNS and IAM (moto), which knows one key and checks signatures: `aws.py PORT FILE`, where FILE gets the key.

What was sent is seen at `/sent`. The sender `reservas@localhost` is verified, nobody else."""

import json
import sys

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.backends import get_backend
from moto.core.authorization import ActionAuthenticatorMixin
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto import settings
from werkzeug.serving import run_simple

REGION = "eu-west-1"
port, file = int(sys.argv[1]), sys.argv[2]

iam = get_backend("iam")[DEFAULT_ACCOUNT_ID]["aws"]
iam.create_user("aws", "reservas")
rights = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ses:*", "sns:*"], "Resource": "*"}]}
iam.put_user_policy("reservas", "send", json.dumps(rights))
key = iam.create_access_key("reservas")
mails, messages = get_backend("ses")[DEFAULT_ACCOUNT_ID][REGION], get_backend("sns")[DEFAULT_ACCOUNT_ID][REGION]
mails.verify_email_identity("reservas@localhost")
settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
ActionAuthenticatorMixin.request_count = 0


def application(environ, start_response):
    if environ["PATH_INFO"] != "/sent":
        return moto(environ, start_response)
    sent = {
        "mails": [{"source": mail.source, "to": mail.destinations, "raw": mail.raw_data} for mail in mails.sent_messages],
        "messages": [{"to": to, "text": text} for to, text in messages.sms_messages.values()],
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(sent).encode()]


moto = DomainDispatcherApplication(create_backend_app)
with open(file, "w", encoding="utf-8") as out:
    json.dump({"key_id": key.access_key_id, "secret": key.secret_access_key, "region": REGION}, out)
run_simple("127.0.0.1", port, application, threaded=True)
