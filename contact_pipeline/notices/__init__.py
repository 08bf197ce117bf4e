"""Notices: people are told when an upload's state changes, by mail, in a chat or by a webhook, once each."""
