"""What single lessons need: a stream, a recorder, a report, augmentation, a microscope."""
