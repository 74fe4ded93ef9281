"""Bird's Channels API: messages to and from phones (docs.bird.com/api/channels-api)."""

from __future__ import annotations

from api.dialects.bird import batches as batches
from api.dialects.bird import channels as channels
from api.dialects.bird import messages as messages
from api.dialects.bird import organizations as organizations
from api.dialects.bird import webhooks as webhooks
from api.dialects.bird.description import DESCRIPTION
from api.dialects.bird.description import ORGANIZATIONS as DESCRIPTION_OF_ORGANIZATIONS
from api.dialects.bird.errors import answer
from api.dialects.bird.keys import read_key
from api.dialects.bird.router import of_organizations, router
from api.dialects.dialect import Dialect

BIRD = Dialect("bird", router, read_key, answer, DESCRIPTION)
ORGANIZATIONS = Dialect("bird-organizations", of_organizations, read_key, answer, DESCRIPTION_OF_ORGANIZATIONS)
"""What its clients look for one level higher."""
