"""Paint a rendered scene in one of several named styles: `paint(photo, labels, style, seed)`."""

from __future__ import annotations

from artkit_atelier.painting.paint import paint
from artkit_atelier.painting.styles import DEFAULT_STYLE, STYLES, StrokeStyle, Style, WashStyle

__all__ = ["DEFAULT_STYLE", "STYLES", "StrokeStyle", "Style", "WashStyle", "paint"]
