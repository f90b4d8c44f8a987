"""Does the model need what a map marks? Cells covered in an order, and objects held against backgrounds."""
