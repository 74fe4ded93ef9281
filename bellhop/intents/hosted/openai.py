"""OpenAI's models, through the SDK `openai` (https://developers.openai.com/api/docs/guides/structured-outputs)."""

from __future__ import annotations

from openai import AsyncOpenAI, OpenAIError

from bellhop.domain.intents import Detection, DetectorAway, DetectorName
from bellhop.intents.hosted import answers


class OpenAIDetector:
    """See `domain.intents.IntentDetector`. `base_url`: None: OpenAI's own. `timeout`: of a call, seconds."""

    def __init__(self, api_key: str, model: str, timeout: float, base_url: str | None = None) -> None:
        # Who is away is replaced by the built-in detector, and not waited for.
        self._client = AsyncOpenAI(
            api_key=api_key, base_url=base_url or "https://api.openai.com/v1", timeout=timeout, max_retries=0
        )
        self._model = model

    async def detect(self, text: str) -> Detection:
        try:
            answer = await self._client.responses.create(
                model=self._model,
                max_output_tokens=answers.MOST_TOKENS,
                instructions=answers.INSTRUCTIONS,
                input=[{"role": "user", "content": answers.asked(text)}],
                text={
                    "format": {
                        "type": "json_schema",
                        "name": "intents",
                        "strict": True,
                        "schema": answers.SCHEMA,
                    }
                },
                # Otherwise it is kept there for a month, beyond the reach of an erasure.
                store=False,
            )
        except (OpenAIError, ValueError):
            # Its text may quote the message.
            raise DetectorAway from None
        if answer.status != "completed":
            raise DetectorAway
        return Detection(DetectorName.OPENAI, answers.read(answer.output_text, text))
