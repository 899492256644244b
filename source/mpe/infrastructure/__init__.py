"""The CDK constructs: the stack reads as a sentence, each room is a construct."""
