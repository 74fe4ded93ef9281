"""Sendblue's API: texts to and from phones (docs.sendblue.com/api)."""

from __future__ import annotations

from api.dialects.dialect import Dialect
from api.dialects.sendblue import contacts as contacts
from api.dialects.sendblue import messages as messages
from api.dialects.sendblue import webhooks as webhooks
from api.dialects.sendblue.description import DESCRIPTION
from api.dialects.sendblue.errors import answer
from api.dialects.sendblue.keys import read_key
from api.dialects.sendblue.router import router

SENDBLUE = Dialect("sendblue", router, read_key, answer, DESCRIPTION)
