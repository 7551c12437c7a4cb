"""The files of the larger reader: ``twosup_chain.ExtractiveReader(model="base")`` reads them."""
