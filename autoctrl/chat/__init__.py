"""Answers what people ask in Mattermost: the slash command, buttons, dialogs."""
