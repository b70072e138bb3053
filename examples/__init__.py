"""Whole tasks, shipped as package data; each folder is one that `crowdd run` takes."""
