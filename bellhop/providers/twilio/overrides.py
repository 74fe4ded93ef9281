"""How Twilio is to call us: connection overrides, in the fragment of each address it is given.

https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
"""

from __future__ import annotations

OVERRIDES = "rc=5&rp=all&ct=2000&rt=5000"
"""Five more tries after any failure; Twilio's default is one, after a refused connection only. All tries together have
15 seconds (`tt`, the most there can be): one that does not connect in 2, or is not answered in 5, is given up for the
next, instead of using them all up. The fragment is neither sent nor signed."""
