"""What samples are drawn from: every record that its doctor's confirmation archived, destroyed ones too."""
