from contact_pipeline.validate.codes import CODES as CODES
