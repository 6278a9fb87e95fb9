"""Files into pictures and sound with time stamps, faces, and face tracks."""
