"""Anthropic's models, through the SDK `anthropic` (https://platform.claude.com/docs/en/build-with-claude/structured-outputs)."""

from __future__ import annotations

from anthropic import AnthropicError, AsyncAnthropic

from bellhop.domain.intents import Detection, DetectorAway, DetectorName
from bellhop.intents.hosted import answers


class AnthropicDetector:
    """See `domain.intents.IntentDetector`. `base_url`: None: Anthropic's own. `timeout`: of a call, seconds."""

    def __init__(self, api_key: str, model: str, timeout: float, base_url: str | None = None) -> None:
        # Who is away is replaced by the built-in detector, and not waited for.
        self._client = AsyncAnthropic(
            api_key=api_key, base_url=base_url or "https://api.anthropic.com", timeout=timeout, max_retries=0
        )
        self._model = model

    async def detect(self, text: str) -> Detection:
        try:
            answer = await self._client.messages.create(
                model=self._model,
                max_tokens=answers.MOST_TOKENS,
                system=answers.INSTRUCTIONS,
                messages=[{"role": "user", "content": answers.asked(text)}],
                output_config={"format": {"type": "json_schema", "schema": answers.SCHEMA}},
            )
        except (AnthropicError, ValueError):
            # Its text may quote the message.
            raise DetectorAway from None
        if answer.stop_reason != "end_turn":
            raise DetectorAway
        said = "".join(block.text for block in answer.content if block.type == "text")
        return Detection(DetectorName.ANTHROPIC, answers.read(said, text))
