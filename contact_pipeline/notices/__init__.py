"""Notices tell people when an upload's state changes, by mail, in a chat or by a webhook, once each."""
