"""Answers the machines of failover and failback: is it so yet?"""
