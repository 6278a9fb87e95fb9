"""From media files to frames and audio on one clock; face detection and tracking; degradations."""
