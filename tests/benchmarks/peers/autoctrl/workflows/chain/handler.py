from autoctrl import After, InlineHandler

first = InlineHandler("first", lambda task: None)
second = InlineHandler("second", lambda task: None, locks=After("first"))
third = InlineHandler("third", lambda task: None, locks=After("second"))
