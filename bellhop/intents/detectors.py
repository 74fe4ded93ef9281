"""Which detector the settings name."""

from __future__ import annotations

from bellhop.domain.intents import DetectorName, IntentDetector
from bellhop.intents.built_in import BuiltInDetector
from bellhop.intents.settings import IntentSettings


def detector_of(settings: IntentSettings) -> IntentDetector:
    """The detector to ask first. Raises ImportError where its SDK is not installed."""
    key, model, timeout = settings.api_key.get_secret_value(), settings.model, settings.timeout
    if settings.detector is DetectorName.ANTHROPIC:
        from bellhop.intents.hosted.anthropic import AnthropicDetector

        return AnthropicDetector(key, model, timeout, settings.base_url)
    if settings.detector is DetectorName.OPENAI:
        from bellhop.intents.hosted.openai import OpenAIDetector

        return OpenAIDetector(key, model, timeout, settings.base_url)
    return BuiltInDetector()
