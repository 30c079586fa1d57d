"""Letters: versioned templates of the policy, checked when they are loaded, and what turns them into text and HTML."""
