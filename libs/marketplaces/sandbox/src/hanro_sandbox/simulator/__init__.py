"""Plays the sandbox: its protocol is the README of this folder."""
