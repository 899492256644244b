"""The local cloud: the synthesized template deployed on one machine, without an account.

MiniStack stands for AWS and the emulator for Amazon Personalize, both behind one endpoint
on the loopback interface, with IAM enforced for every call.
"""
