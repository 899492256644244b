"""What Amazon Personalize is: its resources, shapes, recipes, grammars and limits."""
