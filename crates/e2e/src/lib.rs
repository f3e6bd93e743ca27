//! Journeys through the gateway of a real `reservas all`; everything is in `tests/`.
