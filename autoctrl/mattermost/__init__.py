"""What the notifier and the chat for Mattermost both spell: addresses, quoted text, buttons."""
