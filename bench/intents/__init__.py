"""What the built-in intent detector is made from and measured by: labelled sentences, training, its page, its speed."""
