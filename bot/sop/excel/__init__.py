"""Scripts as a workbook for those who plan in Excel, and back again without loss."""
