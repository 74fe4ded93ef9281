"""The examples of seed 004."""

from __future__ import annotations

import json

GUEST = "+31612345678"
FILES = "https://files.gitbook.com/v0/b/gitbook-x-prod.appspot.com/o/spaces%2FdnJZeZvhOMhDQA8SpjQM%2Fuploads%2F"
"""Where the examples' files are."""
SEED_RECEIVERS = [
    json.loads('{"receiver": {"contacts": [{"identifierKey": "phonenumber", "identifierValue": "+31612345678"}]}}'),
    json.loads('{"receiver": {"contacts": [{"identifierValue": "+31612345678"}]}}'),
]
SEED_BODIES = [
    json.loads(text.replace("FILES/", FILES))
    for text in (
        """ {
  "type": "text",
  "text": {
    "text": "Single text message"
  }
}""",
        """{
  "type": "image",
  "image": {
    "images": [
      {
        "mediaUrl": "FILES/RPPgQAGyZE7rvIh3WM2Z%2Fimage2.avif?alt=media"
      }
    ]
  }
}""",
        """{
  "type": "image",
  "image": {
    "images": [
      {
        "mediaUrl": "FILES/RPPgQAGyZE7rvIh3WM2Z%2Fimage2.avif?alt=media"
      }
    ],
    "text": "Single image message"
  }
}""",
        """{
  "type": "image",
  "image": {
    "images": [
      {
        "mediaUrl": "FILES/RPPgQAGyZE7rvIh3WM2Z%2Fimage2.avif?alt=media"
      }
    ],
    "text": "Single image message",
    "metadata": {
        "subject": "Message subject"
      }
  }
}""",
        """{
  "type": "image",
  "image": {
    "images": [
      {
        "mediaUrl": "FILES/RPPgQAGyZE7rvIh3WM2Z%2Fimage2.avif?alt=media"
      },
            {
        "mediaUrl": "FILES/rEM9zztd8SEiJS6RQuR3%2Fimage.png?alt=media"
      }
    ]
  }
}""",
        """{
  "type": "image",
  "image": {
    "images": [
      {
        "mediaUrl": "FILES/RPPgQAGyZE7rvIh3WM2Z%2Fimage2.avif?alt=media"
      },
            {
        "mediaUrl": "FILES/rEM9zztd8SEiJS6RQuR3%2Fimage.png?alt=media"
      }
    ],
    "text": "Multiple images message"
  }
}""",
        """{
  "type": "image",
  "image": {
    "images": [
      {
        "mediaUrl": "FILES/RPPgQAGyZE7rvIh3WM2Z%2Fimage2.avif?alt=media"
      },
            {
        "mediaUrl": "FILES/rEM9zztd8SEiJS6RQuR3%2Fimage.png?alt=media"
      }
    ],
    "text": "Multiple images message",
    "metadata": {
        "subject": "Message subject"
      }
  }
}""",
        """{
  "type": "file",
  "file": {
    "files": [
      {
        "mediaUrl": "FILES/tXMQ4lIinia9ehf4EpC4%2Fvideo.mp4?alt=media",
        "contentType": "video/mp4"
      }
    ]
  }
}""",
        """{
  "type": "file",
  "file": {
    "files": [
      {
        "mediaUrl": "FILES/tXMQ4lIinia9ehf4EpC4%2Fvideo.mp4?alt=media",
        "contentType": "video/mp4"
      }
    ],
    "text": "Single file message"
  }
}""",
        """{
  "type": "file",
  "file": {
    "files": [
      {
        "mediaUrl": "FILES/tXMQ4lIinia9ehf4EpC4%2Fvideo.mp4?alt=media",
        "contentType": "video/mp4"
      }
    ],
    "text": "Single file message",
    "metadata": {
        "subject": "Message subject"
      }
  }
}""",
        """{
  "type": "file",
  "file": {
    "files": [
      {
        "mediaUrl": "FILES/tXMQ4lIinia9ehf4EpC4%2Fvideo.mp4?alt=media",
        "contentType": "video/mp4"
      },
            {
        "mediaUrl": "FILES/bgnxOoaF4aHSHUzMFCna%2Faudio.mp3?alt=media",
        "contentType": "audio/mpeg"
      }
    ],
    "text": "Multiple files message"
  }
}""",
        """{
  "type": "file",
  "file": {
    "files": [
      {
        "mediaUrl": "FILES/tXMQ4lIinia9ehf4EpC4%2Fvideo.mp4?alt=media",
        "contentType": "video/mp4"
      },
            {
        "mediaUrl": "FILES/bgnxOoaF4aHSHUzMFCna%2Faudio.mp3?alt=media",
        "contentType": "audio/mpeg"
      }
    ],
    "text": "Multiple files message",
    "metadata": {
        "subject": "Message subject"
      }
  }
}""",
    )
]
SEED_FETCH = json.loads('{"receiver": {}}')
SEED_TEMPLATE = json.loads("""{  "projectId":"ce6a2fd6-b2fa-4f5a-a2cd-f3bd15883318",
   "version":"latest",
   "locale":"en",
   "parameters":[
      {
         "type":"string",
         "key":"name",
         "value":"Robert"
      }
   ]
}""")
SEED_SHOWN = json.loads("""{
  "meta": {
    "referral": {
      "source": "text",
      "title": "text",
      "text": "text",
      "group": "text",
      "metadata": {
        "source_id": "text",
        "source_url": "text",
        "media_url": "text",
        "tracking_id": "text"
      }
    },
    "order": {
      "products": [
        {
          "externalCatalogId": "text",
          "externalProductId": "text",
          "price": {
            "currencyCode": "text"
          }
        }
      ]
    },
    "referredProduct": {
      "externalCatalogId": "text",
      "externalProductId": "text"
    },
    "email": {
      "subject": "text",
      "from": {
        "username": "text",
        "displayName": "text"
      }
    },
    "pushNotifications": {
      "gatewayTypeOverride": "apns"
    },
    "navigatorId": "123e4567-e89b-12d3-a456-426614174000",
    "navigatorMessageId": "123e4567-e89b-12d3-a456-426614174000",
    "flow": {
      "id": "123e4567-e89b-12d3-a456-426614174000",
      "name": "text",
      "stepId": "text",
      "runId": "123e4567-e89b-12d3-a456-426614174000"
    },
    "journey": {
      "id": "123e4567-e89b-12d3-a456-426614174000",
      "name": "text",
      "stepId": "text",
      "runId": "123e4567-e89b-12d3-a456-426614174000"
    },
    "campaign": {
      "id": "123e4567-e89b-12d3-a456-426614174000",
      "name": "text"
    }
  },
  "reference": "text",
  "replyTo": {
    "id": "text",
    "type": "message"
  },
  "tags": [
    "text"
  ],
  "shortLinks": {
    "domain": "text"
  },
  "body": {
    "type": "text",
    "text": {
      "text": "text",
      "attachments": [
        {
          "mediaUrl": "https://example.com",
          "filename": "text",
          "inline": false
        }
      ],
      "actions": [
        {
          "type": "link",
          "link": {
            "text": "text",
            "url": "text"
          }
        }
      ],
      "metadata": {
        "subject": "text",
        "whatsapp": {
          "previewUrl": false
        },
        "line": {
          "emoji": {
            "items": [
              {
                "productId": "text",
                "emojiId": "text"
              }
            ]
          }
        },
        "telegram": {
          "parseMode": "Markdown"
        }
      }
    }
  }
}""")
"""Seed 004, to the letter: of the answer what a request may have as well."""
ALWAYS = {"id", "channelId", "sender", "receiver", "status", "lastStatusAt", "createdAt", "updatedAt"}
TEXT = SEED_RECEIVERS[1] | {"body": SEED_BODIES[0]}
