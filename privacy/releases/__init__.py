"""Releases of tables: uploaded, made safe by a job, approved by policy and a second officer, handed out with proof."""
